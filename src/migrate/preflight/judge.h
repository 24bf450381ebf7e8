#pragma once

#include <vector>

#include "migrate/preflight/facts.h"
#include "migrate/schema/catalog.h"
#include "sql/schema/plan.h"

// What stands in the way of a migration and what somebody should know, each with what to do: pure.
// An error forbids the copy.
namespace partywall::migrate {

enum class Progress : uint8_t { kNotBegun, kBegun };

// What following changes needs is a warning where the source is at rest, because it can be copied
// without.
enum class SourceUse : uint8_t { kAtRest, kInUse };

[[nodiscard]] std::vector<sql::SchemaFinding> judge_source(const SourceFacts& facts, SourceUse use,
                                                           Progress progress);
[[nodiscard]] std::vector<sql::SchemaFinding> judge_target(const TargetFacts& facts,
                                                           const SourceFacts& source,
                                                           Progress progress);

// Whether the target has what the source's schema becomes when it is converted. Comments and rights
// do not count, nor what the target has beside it.
[[nodiscard]] std::vector<sql::SchemaFinding> judge_schema(Catalog wanted, Catalog present);

}  // namespace partywall::migrate
