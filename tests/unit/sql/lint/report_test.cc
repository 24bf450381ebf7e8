#include "sql/lint/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace partywall::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

LintFinding finding(LintRule rule, FindingLevel level, std::string object) {
  return {rule, level, std::move(object), "it says \"hello\"", "DROP IT;"};
}

LintReport report() {
  return {.database = "shop",
          .findings = {finding(LintRule::kPublication, FindingLevel::kError, "publication p"),
                       finding(LintRule::kOwnerLogin, FindingLevel::kInfo, "role app")},
          .ignored = 3};
}

TEST(LintReport, IsReadableByPeople) {
  const std::string text = to_lint_text(report());
  EXPECT_THAT(text, HasSubstr("error: publication p: it says \"hello\" [publication]\n  why: "));
  EXPECT_THAT(text, HasSubstr("  do:  DROP IT;\n"));
  EXPECT_THAT(text, HasSubstr("Database shop: 1 errors, 0 warnings, 1 notes; 3 ignored.\n"));
}

TEST(LintReport, IsOneJsonObject) {
  const auto json = JsonValue::parse(to_lint_json(report()));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_THAT(*json->find("findings")->as_array(), SizeIs(2));
  const JsonValue& first = json->find("findings")->as_array()->front();
  EXPECT_EQ(*first.find_string("rule"), "publication");
  EXPECT_EQ(*first.find_string("level"), "error");
  EXPECT_EQ(*first.find_string("message"), "it says \"hello\"");
  EXPECT_EQ(json->find("ignored")->as_int64(), 3);
}

TEST(LintReport, IsSarifWhoseResultsNameTheirRule) {
  const auto json =
      JsonValue::parse(to_lint_sarif(report(), "1.2.3"), {.max_bytes = 1 << 20, .max_depth = 32});
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json->find_string("version"), "2.1.0");
  const JsonValue& run = json->find("runs")->as_array()->front();
  const JsonArray& rules = *run.find("tool")->find("driver")->find("rules")->as_array();
  EXPECT_THAT(rules, SizeIs(lint_rules().size()));
  const JsonArray& results = *run.find("results")->as_array();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(*results[1].find_string("level"), "note");
  for (const JsonValue& result : results) {
    const auto index = static_cast<size_t>(result.find("ruleIndex")->as_int64().value());
    EXPECT_EQ(*rules.at(index).find_string("id"), *result.find_string("ruleId"));
  }
}

TEST(LintExceptions, CountForARuleOrForOneObject) {
  const auto left = [](const std::vector<std::string>& ignored) {
    return leave_out_ignored(report().findings, ignored).value();
  };
  EXPECT_THAT(left({}).findings, SizeIs(2));
  EXPECT_THAT(left({"publication"}).findings, SizeIs(1));
  EXPECT_EQ(left({"publication:publication p", "owner-login"}).ignored, 2);
  EXPECT_THAT(left({"publication:publication q"}).findings, SizeIs(2));
}

TEST(LintExceptions, MustNameARule) {
  const auto failed = leave_out_ignored({}, {"publicaton"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(failed.error().message, HasSubstr("did you mean 'publication'?"));
}

}  // namespace
}  // namespace partywall::sql
