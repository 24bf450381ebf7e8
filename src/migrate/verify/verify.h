#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "migrate/copy/relation.h"
#include "migrate/copy/session.h"
#include "migrate/verify/references.h"
#include "migrate/verify/row_differences.h"
#include "migrate/verify/table_digest.h"

// Compares a tenant's rows in the target with the source, each as one snapshot shows it, and shares
// no code with the copier but the list of relations, which comes from the catalogs.
namespace partywall::migrate {

struct VerifySettings {
  uint32_t workers = 2;         // connections to either side
  size_t max_listed = 100;      // differences of a relation that are reported
  uint64_t max_held = 200'000;  // rows of a relation that are held to find them
};

struct VerifyTask {
  std::string source;  // connection strings
  std::string target;
  Uuid tenant;
  std::string tenant_column;
  std::vector<Relation> relations;
};

struct RelationVerdict {
  std::string relation;
  Digest source;
  Digest target;
  bool is_equal = false;
  std::vector<RowDifference> differences;  // at most max_listed
  bool has_more = false;                   // than are listed
};

struct Verdict {
  std::vector<RelationVerdict> relations;  // in the order of the task
  std::vector<BrokenReference> references;

  [[nodiscard]] bool is_equal() const;  // all rows, and none refers to nothing
  [[nodiscard]] bool rows_are_equal() const;
  [[nodiscard]] uint64_t rows() const;  // of the source
};

// Told as soon as both sides of a relation were compared; by any worker.
class VerifyObserver {
 public:
  virtual ~VerifyObserver() = default;
  virtual void compared(const RelationVerdict& verdict) = 0;
};

// kUnavailable: a connection was lost, and with it the snapshot; to be called again.
Result<Verdict> verify(const VerifyTask& task, const VerifySettings& settings,
                       VerifyObserver& observer);

// Both databases as they are to be compared.
struct ComparedPictures {
  Snapshot source;
  Snapshot target;
};

// The same for pictures that were taken before. kTimeout: `stop` was requested.
Result<Verdict> verify(const VerifyTask& task, ComparedPictures& pictures,
                       const VerifySettings& settings, VerifyObserver& observer,
                       const std::stop_token& stop);

}  // namespace partywall::migrate
