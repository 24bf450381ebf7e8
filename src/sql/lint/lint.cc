#include "sql/lint/lint.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "sql/lint/read_facts.h"
#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

constexpr int kOldestServer = 150000;  // security_invoker

// One entry of `ignored`.
struct Exception {
  LintRule rule;
  std::string object;  // empty: all
};

Result<Exception> parse_exception(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string id = text.substr(0, colon);
  const auto found = std::ranges::find(lint_rules(), id, &LintRuleText::id);
  if (found != lint_rules().end()) {
    return Exception{found->rule, colon == std::string::npos ? "" : text.substr(colon + 1)};
  }
  std::vector<std::string_view> ids;
  for (const LintRuleText& rule : lint_rules()) ids.push_back(rule.id);
  return fail(ErrorKind::kInvalid, "there is no rule \"{}\"{}", id, suggestion(id, ids));
}

}  // namespace

std::vector<LintFinding> judge(const LintFacts& facts) {
  std::vector<LintFinding> findings;
  judge_tables(facts, findings);
  judge_policies(facts, findings);
  judge_indexes(facts, findings);
  judge_keys(facts, findings);
  judge_views(facts, findings);
  judge_functions(facts, findings);
  judge_access(facts, findings);
  std::ranges::sort(findings, [](const LintFinding& one, const LintFinding& other) {
    return std::tie(other.level, one.rule, one.object, one.message) <
           std::tie(one.level, other.rule, other.object, other.message);
  });
  return findings;
}

Result<LintReport> leave_out_ignored(std::vector<LintFinding> findings,
                                     const std::vector<std::string>& ignored) {
  std::vector<Exception> exceptions;
  for (const std::string& text : ignored) {
    auto exception = parse_exception(text);
    if (!exception) return std::unexpected(exception.error());
    exceptions.push_back(*std::move(exception));
  }
  LintReport report;
  report.ignored = std::erase_if(findings, [&](const LintFinding& finding) {
    return std::ranges::any_of(exceptions, [&](const Exception& exception) {
      return exception.rule == finding.rule &&
             (exception.object.empty() || exception.object == finding.object);
    });
  });
  report.findings = std::move(findings);
  return report;
}

Result<LintReport> lint_database(postgres::Connection& connection, const LintSettings& settings) {
  if (auto fine = leave_out_ignored({}, settings.ignored); !fine)
    return std::unexpected(fine.error());
  if (connection.server_version() < kOldestServer) {
    return fail(ErrorKind::kInvalid, "the server is PostgreSQL {}; 15 or newer is needed",
                connection.server_version() / 10000);
  }
  auto transaction =
      postgres::Transaction::begin(connection, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  const auto facts = read_facts(connection, settings.tenant_column);
  if (!facts) return fail_with_context("reading the catalogs", facts.error());
  auto report = leave_out_ignored(judge(*facts), settings.ignored);
  report->database = connection.database();
  return report;
}

}  // namespace partywall::sql
