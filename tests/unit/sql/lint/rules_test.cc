#include "sql/lint/rules.h"

#include <algorithm>
#include <optional>
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
  EXPECT_EQ(lint_rules().back().rule, LintRule::kIndexLeaksValues);
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

struct IndexCase {
  IndexState index;
  std::optional<FindingLevel> level;
  std::string remedy;  // how it begins
};

TEST(LintRules, ReportEachIndexThatMeetsOtherTenantsEntries) {
  const auto index = [](std::string method, auto change) {
    IndexState state{
        .name = "i", .method = std::move(method), .columns = {"price"}, .rest = "price)"};
    change(state);
    return state;
  };
  const auto nothing = [](IndexState&) {};
  const auto led = [](IndexState& one) { one.led_by_tenant = true; };
  const auto led_and_early = [](IndexState& one) {
    one.led_by_tenant = one.is_searched_early = true;
  };
  const auto only = [](IndexState& one) {
    one.led_by_tenant = one.only_tenant = one.is_partial = true;
  };
  const auto early = [](IndexState& one) { one.is_searched_early = true; };
  const auto partial = [](IndexState& one) { one.is_partial = true; };
  const auto unique = [](IndexState& one) { one.is_unique = true; };
  const auto partitioned = [](IndexState& one) { one.is_partitioned = true; };
  const auto primary = [](IndexState& one) {
    one.constraint = "k";
    one.constraint_kind = 'p';
    one.columns = {"price", "tenant_id"};
  };
  const auto exclusion = [](IndexState& one) {
    one.constraint = "k";
    one.constraint_kind = 'x';
    one.is_searched_early = true;
  };
  const std::string create = R"(CREATE INDEX CONCURRENTLY ON "public"."orders" USING )";
  for (const IndexCase& one : std::vector<IndexCase>{
           {index("btree", nothing), kError,
            create + R"(btree ("tenant_id", price); DROP INDEX CONCURRENTLY "public"."i";)"},
           {index("btree", unique), kError, "CREATE UNIQUE INDEX CONCURRENTLY"},
           {index("btree", partitioned), kError, "CREATE INDEX ON"},
           {index("btree", led), std::nullopt, ""},
           {index("btree", led_and_early), std::nullopt, ""},
           {index("btree", primary), kError,
            R"(ALTER TABLE "public"."orders" DROP CONSTRAINT "k", ADD CONSTRAINT "k" PRIMARY KEY )"
            R"(("tenant_id", price);)"},
           {index("hash", early), kError, create + R"(btree ("tenant_id", price);)"},
           {index("hash", nothing), kInfo, "Drop it"},
           {index("hash", only), std::nullopt, ""},
           {index("gist", early), kError,
            "CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE INDEX"},
           {index("gist", exclusion), kError, "Make the exclusion constraint anew"},
           {index("gist", led_and_early), std::nullopt, ""},
           {index("gin", nothing), kInfo, "Drop it"},
           {index("gin", partial), kError, "DROP INDEX"},
           {index("gin", early), kError, "DROP INDEX"},
           {index("gin", led_and_early), kError, "DROP INDEX"},
           {index("gin", led), std::nullopt, ""},
           {index("brin", led_and_early), kError, "DROP INDEX"},
           {index("brin", only), std::nullopt, ""},
           {index("spgist", early), kError, "DROP INDEX"}}) {
    LintFacts facts = sound();
    facts.schema.tables[0].indexes = {one.index};
    const auto found = judge(facts);
    ASSERT_EQ(found.size(), one.level ? 1U : 0U) << one.index.method << one.remedy;
    if (!one.level) continue;
    EXPECT_EQ(found[0].rule, LintRule::kIndexLeaksValues);
    EXPECT_EQ(found[0].level, *one.level) << one.index.method;
    EXPECT_EQ(found[0].object, "index public.i");
    EXPECT_THAT(found[0].remedy, ::testing::StartsWith(one.remedy));
  }
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
