#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrate/copy/progress.h"
#include "migrate/run/migration_task.h"
#include "migrate/run/subject.h"
#include "sql/schema/plan.h"

// A tenant's rows from a database of its own into the shared one, begun or continued: preflight,
// copy, sequences, verification. docs/migrate.md has the states and what follows from each failure.
namespace partywall::migrate {

// Told what happens. Calls of CopyObserver and VerifyObserver come from workers, the others from
// the caller's thread.
class MigrationObserver : public CopyObserver, public VerifyObserver {
 public:
  virtual void found(const std::vector<sql::SchemaFinding>& findings) = 0;
  // Before rows are copied: what is there, and what is to be done.
  virtual void copying(const std::vector<RelationProgress>& progress) = 0;
  // The rows of a relation were deleted and are copied again.
  virtual void restarted(const std::string& relation, const std::string& why) = 0;
  virtual void entered(MigrationState state) = 0;
  virtual void verifying() = 0;
};

enum class MigrationOutcome : uint8_t {
  kVerified,        // now
  kVerifiedBefore,  // nothing was done
  kRefused,         // the preflight found an error; nothing was copied
  kDiffers,         // the target is not equal to a source that has not changed
  kStopped,         // of a source in use: somebody asked for that
};

struct MigrationResult {
  MigrationOutcome outcome = MigrationOutcome::kRefused;
  std::optional<Verdict> verdict;  // of kVerified and kDiffers
  std::string kept{};              // what the source keeps for a stream, and how to let it go
};

// Only one at a time for a tenant: kConflict. Fails with the copied rows kept; calling it again
// continues.
Result<MigrationResult> migrate_tenant(const MigrationTask& task, const Subject& subject,
                                       const TimeSource& time, MigrationObserver& observer);

// Compares again, changing nothing. Losing a connection makes it begin anew, a few times.
Result<Verdict> verify_tenant(const MigrationTask& task, const Subject& subject,
                              VerifyObserver& observer);

// Whether a migration that is verified may be discarded too: its tenant may be served from there.
enum class DiscardVerified : uint8_t { kNo, kYes };

enum class DiscardOutcome : uint8_t {
  kDiscarded,
  kDiscardedButStream,  // it was of a source in use, which still keeps its log for the stream
  kNoneBegun,           // there is no migration of the tenant
  kIsVerified,          // nothing was done, because of DiscardVerified::kNo
};

// Deletes the tenant's rows in the target and forgets the migration.
Result<DiscardOutcome> discard_tenant(const std::string& target, const Uuid& tenant,
                                      DiscardVerified verified);

}  // namespace partywall::migrate
