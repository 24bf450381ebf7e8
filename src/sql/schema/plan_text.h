#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "sql/schema/plan.h"

namespace partywall::sql {

// The plan as an SQL script, every statement with its reason, the findings as comments. Secrets are
// left out, so it is for reading.
[[nodiscard]] std::string to_script(const SchemaPlan& plan, std::string_view database,
                                    Duration lock_timeout);

// Any plan as a script; `heading` goes into its first comment.
[[nodiscard]] std::string script_of(const SchemaPlan& plan, std::string_view heading,
                                    Duration lock_timeout);

// Each step's first line and its reason.
[[nodiscard]] std::string steps_text(const std::vector<SchemaStep>& steps);

// A line or two for each, the most serious first.
[[nodiscard]] std::string findings_text(const std::vector<SchemaFinding>& findings,
                                        std::string_view prefix = "");

// The first statement of the transaction.
[[nodiscard]] std::string lock_timeout_statement(Duration timeout);

// What was done, and what was found, for a terminal.
[[nodiscard]] std::string to_report(const SchemaPlan& plan, std::string_view database);

}  // namespace partywall::sql
