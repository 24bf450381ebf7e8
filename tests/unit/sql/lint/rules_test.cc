#include "sql/lint/rules.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/schema/planners.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TableState protected_table() {
  const std::string test = "(tenant_id = ( SELECT partywall.tenant_id() AS tenant_id))";
  TableState table;
  table.name = {"public", "orders"};
  table.owner = "app";
  table.row_security = table.force_row_security = true;
  table.tenant_type = "uuid";
  table.policies = {{std::string(kTenantPolicy), false, true, "*", test, test},
                    {std::string(kRowsPolicy), true, true, "*", "true", "true"}};
  table.public_privileges = {"SELECT", "INSERT", "UPDATE", "DELETE"};
  return table;
}

// A database with one table and nothing wrong.
LintFacts sound() {
  LintFacts facts;
  facts.tenant_column = "tenant_id";
  facts.schema.database.name = "shop";
  facts.schema.tables = {protected_table()};
  facts.tenant_tables = {
      {.table = {"public", "orders"}, .column_is_required = true, .index_led_by_tenant = true}};
  return facts;
}

std::vector<std::pair<LintRule, FindingLevel>> judged(const LintFacts& facts) {
  std::vector<std::pair<LintRule, FindingLevel>> found;
  for (const LintFinding& finding : judge(facts)) found.emplace_back(finding.rule, finding.level);
  return found;
}

using Found = std::vector<std::pair<LintRule, FindingLevel>>;
constexpr auto kError = FindingLevel::kError;
constexpr auto kWarning = FindingLevel::kWarning;
constexpr auto kInfo = FindingLevel::kInfo;

TEST(LintRules, HaveTheirTextAndAnIdOfTheirOwn) {
  std::set<std::string_view> ids;
  for (size_t i = 0; i < lint_rules().size(); ++i) {
    const LintRuleText& text = lint_rules()[i];
    EXPECT_EQ(static_cast<size_t>(text.rule), i) << text.id;
    EXPECT_FALSE(text.why.empty()) << text.id;
    ids.insert(text.id);
  }
  EXPECT_EQ(ids.size(), lint_rules().size());
  EXPECT_EQ(lint_rules().back().rule, LintRule::kStatisticsReadable);
}

TEST(LintRules, FindNothingInASoundSchema) { EXPECT_THAT(judge(sound()), IsEmpty()); }

TEST(LintRules, ReportATableWithoutTheColumnByWhatTenantsMayDo) {
  LintFacts facts = sound();
  facts.schema.tables[0].tenant_type = "";
  facts.schema.tables[0].policies.clear();
  EXPECT_EQ(judged(facts), (Found{{LintRule::kTenantColumnMissing, kError}}));
  facts.schema.tables[0].public_privileges = {"SELECT"};
  EXPECT_EQ(judged(facts), (Found{{LintRule::kTenantColumnMissing, kInfo}}));
  facts.schema.tables[0].public_privileges.clear();
  EXPECT_EQ(judged(facts), (Found{{LintRule::kTenantColumnMissing, kWarning}}));
}

TEST(LintRules, ReportRowSecurityThatIsOffOrNotForced) {
  LintFacts facts = sound();
  facts.schema.tables[0].row_security = false;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kRowSecurityOff, kError}}));
  facts.schema.tables[0].is_partition = true;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kPartitionOpen, kError}}));
  facts.schema.tables[0].public_privileges.clear();
  EXPECT_EQ(judged(facts), (Found{{LintRule::kPartitionOpen, kWarning}}));
  facts = sound();
  facts.schema.tables[0].force_row_security = false;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kRowSecurityNotForced, kError}}));
}

TEST(LintRules, WantTheRestrictivePolicyOnTheRegister) {
  for (auto spoil : std::vector<void (*)(PolicyState&)>{
           [](PolicyState& policy) { policy.is_permissive = true; },
           [](PolicyState& policy) { policy.is_for_everybody = false; },
           [](PolicyState& policy) { policy.command = "r"; },
           [](PolicyState& policy) { policy.using_expression = "true"; },
           [](PolicyState& policy) { policy.check_expression = "true"; }}) {
    LintFacts facts = sound();
    spoil(facts.schema.tables[0].policies[0]);
    EXPECT_EQ(judged(facts), (Found{{LintRule::kNoTenantPolicy, kError}}));
  }
  LintFacts facts = sound();
  facts.schema.tables[0].policies.clear();
  EXPECT_EQ(judged(facts), (Found{{LintRule::kNoTenantPolicy, kWarning}}));
}

TEST(LintRules, ReportAPolicyThatReadsASetting) {
  LintFacts facts = sound();
  facts.schema.tables[0].policies.push_back(
      {"old", true, true, "*", "(tenant_id = (current_setting('app.tenant'::text))::uuid)", ""});
  EXPECT_EQ(judged(facts), (Found{{LintRule::kPolicyReadsSetting, kError},
                                  {LintRule::kPolicyNotSubselect, kWarning}}));
  facts.schema.tables[0].policies.back().using_expression =
      "(tenant_id = ( SELECT (current_setting('app.tenant'::text))::uuid AS current_setting))";
  EXPECT_EQ(judged(facts).front(), (std::pair{LintRule::kPolicyReadsSetting, kError}));
  // Of another column: not the tenant's.
  facts.schema.tables[0].policies.back().using_expression =
      "(region = ( SELECT current_setting('app.region'::text) AS current_setting))";
  EXPECT_THAT(judged(facts), IsEmpty());
}

TEST(LintRules, ReportACallForEachRow) {
  LintFacts facts = sound();
  facts.schema.tables[0].policies.push_back(
      {"slow", true, true, "*", "(tenant_id = partywall.tenant_id())", ""});
  EXPECT_EQ(judged(facts), (Found{{LintRule::kPolicyNotSubselect, kWarning}}));
}

TEST(LintRules, ReportKeysByWhoMakesTheirValues) {
  LintFacts facts = sound();
  facts.keys = {{.table = {"public", "orders"},
                 .name = "orders_number_key",
                 .is_constraint = true,
                 .columns = {"number"}}};
  EXPECT_EQ(judged(facts), (Found{{LintRule::kUniqueWithoutTenant, kError}}));
  EXPECT_EQ(judge(facts)[0].remedy,
            "ALTER TABLE \"public\".\"orders\" DROP CONSTRAINT \"orders_number_key\", ADD UNIQUE "
            "(\"tenant_id\", number);");
  facts.keys[0].is_generated = true;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kUniqueWithoutTenant, kInfo}}));
}

TEST(LintRules, SayHowToMendAForeignKey) {
  LintFacts facts = sound();
  facts.foreign_keys = {{.table = {"public", "line"},
                         .referenced = {"public", "orders"},
                         .name = "line_order",
                         .columns = {"order_id"},
                         .referenced_columns = {"id"},
                         .actions = "ON DELETE CASCADE"}};
  EXPECT_EQ(judged(facts), (Found{{LintRule::kForeignKeyWithoutTenant, kError}}));
  EXPECT_THAT(judge(facts)[0].remedy,
              HasSubstr("ADD FOREIGN KEY (\"tenant_id\", order_id) REFERENCES "
                        "\"public\".\"orders\" (\"tenant_id\", id) ON DELETE CASCADE;"));
}

TEST(LintRules, FollowViewsThroughViews) {
  LintFacts facts = sound();
  ViewState inner;
  inner.name = {"public", "open_orders"};
  inner.security_invoker = true;
  inner.tables = {{"public", "orders"}};
  ViewState outer;
  outer.name = {"public", "report"};
  outer.owner = "postgres";
  outer.owner_bypasses_rls = outer.public_may_read = true;
  outer.tables = {{"public", "open_orders"}};
  facts.schema.views = {outer, inner};
  EXPECT_EQ(judged(facts), (Found{{LintRule::kViewOwnerRights, kError}}));
  facts.schema.views[0].public_may_read = false;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kViewOwnerRights, kWarning}}));
  facts.schema.views[0].tables = {{"public", "country"}};
  EXPECT_THAT(judged(facts), IsEmpty());
}

TEST(LintRules, JudgeFunctionsByWhoRunsThemAndWhoMayCall) {
  LintFacts facts = sound();
  facts.functions = {{.signature = "public.total()",
                      .owner = "postgres",
                      .owner_bypasses = true,
                      .is_definer = true,
                      .pins_search_path = true,
                      .public_may_execute = true}};
  EXPECT_EQ(judged(facts), (Found{{LintRule::kDefinerFunctionBypasses, kError}}));
  facts.functions[0].public_may_execute = false;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kDefinerFunctionBypasses, kWarning}}));
  facts.functions[0].fires_as_trigger = true;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kDefinerFunctionBypasses, kError}}));
  facts.functions[0].owner_bypasses = false;
  EXPECT_THAT(judged(facts), IsEmpty());
  facts.functions[0].pins_search_path = false;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kDefinerFunctionSearchPath, kWarning}}));
}

TEST(LintRules, PutTheMostSeriousFirst) {
  LintFacts facts = sound();
  facts.logins = {{.name = "postgres", .is_superuser = true}};
  facts.schema.database.public_may_connect = true;
  facts.schema.database.public_may_create = true;
  EXPECT_EQ(judged(facts), (Found{{LintRule::kSchemaCreate, kError},
                                  {LintRule::kDatabaseOpen, kWarning},
                                  {LintRule::kLoginBypasses, kInfo}}));
}

}  // namespace
}  // namespace partywall::sql
