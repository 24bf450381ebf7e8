#include "sql/lint/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_writer.h"

namespace partywall::sql {
namespace {

auto count(const LintReport& report, FindingLevel level) {
  return std::ranges::count(report.findings, level, &LintFinding::level);
}

// SARIF 2.1.0 section 3.27.10.
std::string_view sarif_level(FindingLevel level) {
  switch (level) {
    case FindingLevel::kError:
      return "error";
    case FindingLevel::kWarning:
      return "warning";
    case FindingLevel::kInfo:
      return "note";
  }
  return "none";
}

void write_rules(JsonWriter& json) {
  json.key("rules").begin_array();
  for (const LintRuleText& rule : lint_rules()) {
    json.begin_object().key("id").value(rule.id);
    json.key("shortDescription").begin_object().key("text").value(rule.title).end_object();
    json.key("fullDescription").begin_object().key("text").value(rule.why).end_object();
    json.end_object();
  }
  json.end_array();
}

void write_result(JsonWriter& json, const std::string& database, const LintFinding& finding) {
  json.begin_object();
  json.key("ruleId").value(text_of(finding.rule).id);
  json.key("ruleIndex").value(static_cast<int>(finding.rule));
  json.key("level").value(sarif_level(finding.level));
  json.key("message").begin_object().key("text").value(
      fmt::format("{}: {}. {}", finding.object, finding.message, finding.remedy));
  json.end_object();
  json.key("locations").begin_array().begin_object().key("logicalLocations").begin_array();
  json.begin_object()
      .key("fullyQualifiedName")
      .value(fmt::format("{}/{}", database, finding.object))
      .end_object();
  json.end_array().end_object().end_array();
  json.key("partialFingerprints").begin_object().key("ruleAndObject/v1");
  json.value(fmt::format("{}:{}", text_of(finding.rule).id, finding.object)).end_object();
  json.end_object();
}

}  // namespace

std::string to_lint_text(const LintReport& report) {
  std::string text;
  for (const LintFinding& finding : report.findings) {
    const LintRuleText& rule = text_of(finding.rule);
    text += fmt::format("{}: {}: {} [{}]\n  why: {}\n  do:  {}\n", to_string(finding.level),
                        finding.object, finding.message, rule.id, rule.why, finding.remedy);
  }
  text += fmt::format("Database {}: {} errors, {} warnings, {} notes", report.database,
                      count(report, FindingLevel::kError), count(report, FindingLevel::kWarning),
                      count(report, FindingLevel::kInfo));
  if (report.ignored > 0) text += fmt::format("; {} ignored", report.ignored);
  return text + ".\n";
}

std::string to_lint_json(const LintReport& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("database").value(report.database).key("findings").begin_array();
  for (const LintFinding& finding : report.findings) {
    const LintRuleText& rule = text_of(finding.rule);
    json.begin_object();
    json.key("rule").value(rule.id).key("level").value(to_string(finding.level));
    json.key("object").value(finding.object).key("message").value(finding.message);
    json.key("why").value(rule.why).key("remedy").value(finding.remedy);
    json.end_object();
  }
  json.end_array().key("ignored").value(static_cast<uint64_t>(report.ignored)).end_object();
  return text + '\n';
}

std::string to_lint_sarif(const LintReport& report, std::string_view version) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("$schema").value(
      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json");
  json.key("version").value("2.1.0").key("runs").begin_array().begin_object();
  json.key("tool").begin_object().key("driver").begin_object();
  json.key("name").value("partywall schema lint").key("version").value(version);
  write_rules(json);
  json.end_object().end_object();
  json.key("results").begin_array();
  for (const LintFinding& finding : report.findings) write_result(json, report.database, finding);
  json.end_array().end_object().end_array().end_object();
  return text + '\n';
}

}  // namespace partywall::sql
