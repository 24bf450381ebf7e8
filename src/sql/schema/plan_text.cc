#include "sql/schema/plan_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace partywall::sql {
namespace {

// A name in a comment must not end it.
std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace

std::string findings_text(const std::vector<SchemaFinding>& findings, std::string_view prefix) {
  std::string text;
  for (const FindingLevel level :
       {FindingLevel::kError, FindingLevel::kWarning, FindingLevel::kInfo}) {
    for (const SchemaFinding& finding : findings) {
      if (finding.level != level) continue;
      text +=
          fmt::format("{}{}: {}: {}\n", prefix, to_string(level), finding.object, finding.message);
      if (!finding.remedy.empty()) text += fmt::format("{}  {}\n", prefix, finding.remedy);
    }
  }
  return text;
}

std::string lock_timeout_statement(Duration timeout) {
  return fmt::format("SET LOCAL lock_timeout = {}",
                     std::chrono::ceil<milliseconds>(timeout).count());
}

std::string to_script(const SchemaPlan& plan, std::string_view database, Duration lock_timeout) {
  return script_of(plan,
                   fmt::format("{} steps to protect database {}", plan.steps.size(), database),
                   lock_timeout);
}

std::string script_of(const SchemaPlan& plan, std::string_view heading, Duration lock_timeout) {
  std::string text = fmt::format("-- Partywall: {}\n", one_line(std::string(heading)));
  if (!plan.steps.empty())
    text += fmt::format("BEGIN;\n{};\n", lock_timeout_statement(lock_timeout));
  for (const SchemaStep& step : plan.steps) {
    text += fmt::format("-- {}\n{}{}\n", one_line(step.reason), step.sql,
                        step.sql.ends_with(';') ? "" : ";");
  }
  if (!plan.steps.empty()) text += "COMMIT;\n";
  SchemaPlan shown = plan;
  for (SchemaFinding& finding : shown.findings) {
    finding.object = one_line(finding.object);
    finding.message = one_line(finding.message);
    finding.remedy = one_line(finding.remedy);
  }
  return text + findings_text(shown.findings, "-- ");
}

std::string steps_text(const std::vector<SchemaStep>& steps) {
  std::string text;
  for (const SchemaStep& step : steps) {
    const std::string first_line = step.sql.substr(0, step.sql.find('\n'));
    text += fmt::format("{}\n    {}\n", first_line, step.reason);
  }
  return text;
}

std::string to_report(const SchemaPlan& plan, std::string_view database) {
  std::string text = steps_text(plan.steps) + findings_text(plan.findings);
  const auto refreshed = std::ranges::count(plan.steps, true, &SchemaStep::always);
  const auto changed = static_cast<ptrdiff_t>(plan.steps.size()) - refreshed;
  if (changed == 0) {
    text += fmt::format("Database {} is protected; nothing was to be changed.\n", database);
  } else {
    text += fmt::format("Database {} is protected: {} statements were run.\n", database,
                        changed + refreshed);
  }
  const auto serious =
      std::ranges::count(plan.findings, FindingLevel::kError, &SchemaFinding::level);
  if (serious > 0)
    text += fmt::format("{} serious finding(s) need your decision: see above.\n", serious);
  return text;
}

}  // namespace partywall::sql
