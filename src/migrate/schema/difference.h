#pragma once

#include <string>
#include <vector>

#include "migrate/schema/catalog.h"
#include "sql/schema/plan.h"

// What is to be done to a database so that it has the schema that is wanted: pure.
namespace partywall::migrate {

enum class StepKind : uint8_t {
  kOther,
  kAddOptionalColumn,  // one that rows can do without: nullable, or with a default
};

struct Step {
  std::string sql;
  std::string reason;
  StepKind kind = StepKind::kOther;
};

struct Difference {
  std::vector<Step> steps;  // in this order
  // What cannot be done, or not without losing something.
  std::vector<sql::SchemaFinding> refusals;
  // What is there and not wanted: it stays.
  std::vector<sql::SchemaFinding> surplus;
};

[[nodiscard]] Difference find_difference(const Catalog& wanted, const Catalog& present);

}  // namespace partywall::migrate
