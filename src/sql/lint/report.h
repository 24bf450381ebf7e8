#pragma once

#include <string>

#include "sql/lint/lint.h"

namespace partywall::sql {

// For people: each finding with why it leaks and what mends it, and a last line that counts them.
[[nodiscard]] std::string to_lint_text(const LintReport& report);
// One JSON object: "database", "findings" (rule, level, object, message, why, remedy), "ignored".
[[nodiscard]] std::string to_lint_json(const LintReport& report);
// SARIF 2.1.0 (OASIS), which code-scanning services read; objects are logical locations.
[[nodiscard]] std::string to_lint_sarif(const LintReport& report, std::string_view version);

}  // namespace partywall::sql
