#pragma once

#include <vector>

#include "sql/lint/facts.h"
#include "sql/lint/rule.h"

// Pure functions of what the catalogs say.
namespace partywall::sql {

void judge_tables(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_policies(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_indexes(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_keys(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_views(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_functions(const LintFacts& facts, std::vector<LintFinding>& findings);
void judge_access(const LintFacts& facts, std::vector<LintFinding>& findings);

// All of them; the most serious first, then by rule and object.
[[nodiscard]] std::vector<LintFinding> judge(const LintFacts& facts);

}  // namespace partywall::sql
