#pragma once

#include <string>
#include <vector>

#include "migrate/preflight/judge.h"
#include "migrate/run/subject.h"

namespace partywall::migrate {

// Looks at both databases and says what stands in the way and what somebody should know; changes
// nothing.
Result<std::vector<sql::SchemaFinding>> preflight(const Subject& subject, const std::string& source,
                                                  postgres::Connection& target, const Uuid& tenant,
                                                  const ConversionRules& rules, SourceUse use);

// True if one of them is an error.
[[nodiscard]] bool forbids(const std::vector<sql::SchemaFinding>& findings);

}  // namespace partywall::migrate
