#include "migrate/convert/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "sql/schema/plan_text.h"

namespace partywall::migrate {
namespace {

std::string_view to_string(TableClass table_class) {
  switch (table_class) {
    case TableClass::kTenant:
      return "tenant";
    case TableClass::kGlobal:
      return "global";
    case TableClass::kExcluded:
      return "excluded";
  }
  return "unknown";
}

// A name in a comment must not end it.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

// "tenant tables (3): a, b, c"
std::string classes_text(const ConversionPlan& plan, std::string_view prefix) {
  std::string text;
  for (const TableClass one : {TableClass::kTenant, TableClass::kGlobal, TableClass::kExcluded}) {
    std::vector<std::string> names;
    for (const auto& [table, table_class] : plan.classes) {
      if (table_class == one) names.push_back(on_one_line(table));
    }
    if (names.empty()) continue;
    text += fmt::format("{}{} tables ({}): {}\n", prefix, to_string(one), names.size(),
                        fmt::join(names, ", "));
  }
  return text;
}

std::string section(std::string_view prefix, std::string_view heading,
                    const std::vector<sql::SchemaFinding>& findings) {
  if (findings.empty()) return "";
  return fmt::format("{}{}\n{}", prefix, heading, sql::findings_text(findings, prefix));
}

// What follows in a script must stay in its comments.
std::vector<sql::SchemaFinding> on_one_line(std::vector<sql::SchemaFinding> findings) {
  for (sql::SchemaFinding& finding : findings) {
    for (std::string* text : {&finding.object, &finding.message, &finding.remedy})
      *text = on_one_line(std::move(*text));
  }
  return findings;
}

std::string sections(const ConversionPlan& plan, std::string_view prefix) {
  return section(prefix, "What may break in the application:", on_one_line(plan.breaks)) +
         section(prefix, "What is refused; nothing is done before it is settled:",
                 on_one_line(plan.refusals));
}

void write(JsonWriter& json, std::string_view name,
           const std::vector<sql::SchemaFinding>& findings) {
  json.key(name).begin_array();
  for (const sql::SchemaFinding& finding : findings) {
    json.begin_object();
    json.key("level").value(sql::to_string(finding.level));
    json.key("object").value(finding.object);
    json.key("message").value(finding.message);
    json.key("remedy").value(finding.remedy);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string to_conversion_text(const ConversionPlan& plan, Stage stage, Duration lock_timeout) {
  if (stage == Stage::kPlanned) {
    return sql::script_of(plan.plan,
                          fmt::format("{} steps to convert {} into {}", plan.plan.steps.size(),
                                      plan.source, plan.target),
                          lock_timeout) +
           classes_text(plan, "-- ") + sections(plan, "-- ");
  }
  if (!plan.refusals.empty())
    return sections(plan, "") + fmt::format("Nothing was changed in {}.\n", plan.target);
  return sql::steps_text(plan.plan.steps) + classes_text(plan, "") +
         sql::findings_text(plan.plan.findings) + sections(plan, "") +
         (plan.plan.steps.empty()
              ? fmt::format("Database {} has the schema of {}; nothing was to be changed.\n",
                            plan.target, plan.source)
              : fmt::format("Database {} has the schema of {}: {} statements were run.\n",
                            plan.target, plan.source, plan.plan.steps.size()));
}

std::string to_conversion_json(const ConversionPlan& plan, Stage stage) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("source").value(plan.source);
  json.key("target").value(plan.target);
  json.key("carried_out").value(stage == Stage::kCarriedOut && plan.refusals.empty());
  json.key("tables").begin_array();
  for (const auto& [table, table_class] : plan.classes) {
    json.begin_object().key("table").value(table);
    json.key("class").value(to_string(table_class)).end_object();
  }
  json.end_array();
  json.key("steps").begin_array();
  for (const sql::SchemaStep& step : plan.plan.steps) {
    json.begin_object().key("sql").value(step.sql);
    json.key("reason").value(step.reason).end_object();
  }
  json.end_array();
  write(json, "refusals", plan.refusals);
  write(json, "breaks", plan.breaks);
  write(json, "findings", plan.plan.findings);
  json.end_object();
  return text + "\n";
}

}  // namespace partywall::migrate
