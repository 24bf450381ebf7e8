#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/scram.h"
#include "sql/schema/plan_text.h"
#include "sql/schema/planners.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const Secret kRegisterKey(std::string(64, 'k'));
const Secret kPassword("correct horse battery staple");

ProtectSettings settings() {
  ProtectSettings settings;
  settings.keys = {{1, kRegisterKey}};
  settings.slots = {.prefix = "slot_", .count = 2, .password = kPassword};
  return settings;
}

PolicyState tenant_policy() {
  const std::string test = "(tenant_id = ( SELECT partywall.tenant_id() AS tenant_id))";
  return {std::string(kTenantPolicy), false, true, "*", test, test};
}

PolicyState rows_policy() { return {std::string(kRowsPolicy), true, true, "*", "true", "true"}; }

TableState protected_table() {
  TableState table;
  table.name = {"public", "orders"};
  table.owner = "app";
  table.row_security = table.force_row_security = true;
  table.tenant_type = "uuid";
  table.tenant_default = kTenantDefault;
  table.policies = {tenant_policy(), rows_policy()};
  table.public_privileges = {"SELECT", "INSERT", "UPDATE", "DELETE"};
  return table;
}

SlotState sound_slot(const std::string& name) {
  SlotState slot;
  slot.name = name;
  slot.can_login = true;
  slot.connection_limit = 1;
  slot.verifier = slot_verifier(kPassword, name).value();
  slot.may_connect = true;
  slot.temp_file_limit = "1048576";
  return slot;
}

// A database on which nothing is left to do.
SchemaState protected_state() {
  SchemaState state;
  state.database = {.name = "shop", .user = "admin", .user_is_superuser = true};
  state.namespaces = {{.name = "public", .public_usage = true}};
  state.tables = {protected_table()};
  state.tenant_register = {.has_owner_role = true,
                           .user_may_act_as_owner = true,
                           .has_schema = true,
                           .comment = comment_prefix() + "5ea1",
                           .seal = "5ea1",
                           .keys = {{{1, fingerprint(make_key_blocks(kRegisterKey))}}}};
  state.slots = {sound_slot("slot_001"), sound_slot("slot_002")};
  return state;
}

std::vector<std::string> statements(const SchemaPlan& plan) {
  std::vector<std::string> all;
  for (const SchemaStep& step : plan.steps) all.push_back(step.sql);
  return all;
}

std::vector<std::string> statements_for(const SchemaState& state) {
  return statements(plan_from(state, settings()));
}

TEST(SchemaPlan, AProtectedDatabaseNeedsNothing) {
  EXPECT_THAT(statements_for(protected_state()), IsEmpty());
}

TEST(SchemaPlan, RightsAreTakenBeforeTablesAreOpened) {
  SchemaState state;
  state.database = {.name = "shop", .user = "postgres", .user_is_superuser = true};
  state.database.public_may_connect = true;
  state.namespaces = {{.name = "public", .public_usage = true}};
  TableState table = protected_table();
  table.row_security = table.force_row_security = false;
  table.policies.clear();
  table.public_privileges.clear();
  table.tenant_default.clear();
  state.tables = {table};
  const auto all = statements_for(state);
  const auto position = [&](std::string_view start) {
    return std::ranges::find_if(all,
                                [&](const std::string& one) { return one.starts_with(start); }) -
           all.begin();
  };
  const auto in_order = {position("CREATE ROLE partywall_owner"),
                         position("CREATE SCHEMA partywall"),
                         position("SET LOCAL ROLE"),
                         position("COPY partywall.register_key"),
                         position("RESET ROLE"),
                         position("CREATE ROLE \"slot_001\""),
                         position("REVOKE CONNECT"),
                         position("ALTER TABLE \"public\".\"orders\" ENABLE ROW LEVEL SECURITY"),
                         position("CREATE POLICY partywall_tenant"),
                         position("GRANT SELECT, INSERT, UPDATE, DELETE"),
                         static_cast<ptrdiff_t>(all.size())};
  EXPECT_TRUE(std::ranges::is_sorted(in_order, std::ranges::less_equal()))
      << testing::PrintToString(all);
}

TEST(SchemaPlan, EveryStepHasAReason) {
  SchemaState state = protected_state();
  state.tenant_register = {};
  state.slots.clear();
  for (const SchemaStep& step : plan_from(state, settings()).steps)
    EXPECT_FALSE(step.reason.empty()) << step.sql;
}

TEST(SchemaPlan, NoSecretIsInWhatIsShown) {
  SchemaState state = protected_state();
  state.tenant_register = {};
  state.slots.clear();
  const SchemaPlan plan = plan_from(state, settings());
  const std::string text = to_script(plan, "shop", seconds(1)) + to_report(plan, "shop");
  EXPECT_THAT(
      text, AllOf(Not(HasSubstr(std::string(kPassword.reveal()))), Not(HasSubstr("SCRAM-SHA-256")),
                  Not(HasSubstr("5d5d5d5d5d5d")), Not(HasSubstr("373737373737"))));
  EXPECT_THAT(text, HasSubstr("PASSWORD '(hidden)'"));
}

TEST(SchemaPlan, KeysAreReplacedAsAWhole) {
  ProtectSettings two = settings();
  two.keys.push_back({2, Secret(std::string(64, 'n'))});
  const SchemaPlan plan = plan_from(protected_state(), two);
  ASSERT_THAT(statements(plan),
              ElementsAre("SET LOCAL ROLE partywall_owner", "DELETE FROM partywall.register_key",
                          StartsWith("COPY partywall.register_key"), "RESET ROLE"));
  EXPECT_THAT(plan.steps[2].copy_data.reveal(),
              AllOf(StartsWith("1\t\\\\x5d5d"), HasSubstr("\n2\t\\\\x5858")));
  two.keys.clear();
  EXPECT_THAT(statements(plan_from(protected_state(), two)), IsEmpty())
      << "none given: those that are there stay";
}

TEST(SchemaPlan, WithoutAPasswordSlotRolesAreLeftAlone) {
  ProtectSettings none = settings();
  none.slots.password = Secret();
  SchemaState state = protected_state();
  state.slots.clear();
  EXPECT_THAT(statements(plan_from(state, none)), IsEmpty());
}

TEST(SchemaPlan, AHiddenPasswordIsSetAgainAtEveryRun) {
  SchemaState state = protected_state();
  state.slots[0].verifier.reset();
  const SchemaPlan plan = plan_from(state, settings());
  ASSERT_THAT(statements(plan), ElementsAre("ALTER ROLE \"slot_001\" PASSWORD '(hidden)'"));
  EXPECT_TRUE(plan.steps[0].always);
  EXPECT_THAT(plan.steps[0].run.reveal(), HasSubstr("PASSWORD 'SCRAM-SHA-256$4096:"));
}

TEST(SchemaPlan, ASlotVerifierIsOfItsPasswordAndItsRole) {
  const std::string one = slot_verifier(kPassword, "slot_001").value();
  EXPECT_EQ(one, slot_verifier(kPassword, "slot_001").value());
  EXPECT_NE(one, slot_verifier(kPassword, "slot_002").value());
  EXPECT_NE(one, slot_verifier(Secret("other"), "slot_001").value());
  const ScramVerifier verifier = ScramVerifier::parse(one).value();
  EXPECT_EQ(
      make_scram_verifier(kPassword.reveal(), verifier.salt, verifier.iterations)->to_string(),
      one);
}

TEST(SchemaPlan, AnUnusablePasswordIsAFinding) {
  ProtectSettings bad = settings();
  bad.slots.password = Secret("umlaut \xC3\xA4");
  const SchemaPlan plan = plan_from(protected_state(), bad);
  EXPECT_THAT(plan.findings, Contains(Field(&SchemaFinding::level, FindingLevel::kError)));
}

TEST(SchemaPlan, PoliciesAreComparedWithoutLayout) {
  SchemaState state = protected_state();
  PolicyState& policy = state.tables[0].policies[0];
  policy.using_expression =
      "(tenant_id = (SELECT partywall.tenant_id()))";  // as a later PostgreSQL may show it
  EXPECT_THAT(statements_for(state), IsEmpty());
  for (const std::string weaker :
       {"(tenant_id = ( SELECT other.tenant_id() AS tenant_id))", "true", "",
        "((tenant_id = ( SELECT partywall.tenant_id() AS tenant_id)) OR true)",
        "(id = ( SELECT partywall.tenant_id() AS tenant_id))"}) {
    policy.using_expression = weaker;
    EXPECT_THAT(statements_for(state), ElementsAre(StartsWith("DROP POLICY partywall_tenant"),
                                                   StartsWith("CREATE POLICY partywall_tenant")))
        << weaker;
  }
}

TEST(SchemaPlan, AQuotedTenantColumnIsFoundInAPolicy) {
  ProtectSettings other = settings();
  other.tenant_column = "Org \"Id\"";
  SchemaState state = protected_state();
  const std::string test = R"(("Org ""Id""" = ( SELECT partywall.tenant_id() AS tenant_id)))";
  state.tables[0].policies[0].using_expression = state.tables[0].policies[0].check_expression =
      test;
  EXPECT_THAT(statements(plan_from(state, other)), IsEmpty());
}

TEST(SchemaPlan, OtherPermissivePoliciesReplaceTheOpenOne) {
  SchemaState state = protected_state();
  state.tables[0].policies.push_back({"visible", true, true, "*", "(NOT hidden)", ""});
  EXPECT_THAT(statements_for(state),
              ElementsAre("DROP POLICY partywall_rows ON \"public\".\"orders\""));
  state.tables[0].policies.back().is_permissive = false;
  EXPECT_THAT(statements_for(state), IsEmpty()) << "a restrictive one only takes away";
}

TEST(SchemaPlan, APartitionIsNotOpenedByItself) {
  SchemaState state = protected_state();
  state.tables[0].is_partition = true;
  state.tables[0].public_privileges.clear();
  EXPECT_THAT(statements_for(state), IsEmpty());
}

TEST(SchemaPlan, TemporaryTablesFollowTheCell) {
  SchemaState state = protected_state();
  ProtectSettings allowed = settings();
  allowed.allow_temp = true;
  EXPECT_THAT(statements(plan_from(state, allowed)),
              ElementsAre("GRANT TEMPORARY ON DATABASE \"shop\" TO PUBLIC"));
  state.database.public_may_temp = true;
  EXPECT_THAT(statements(plan_from(state, allowed)), IsEmpty());
  EXPECT_THAT(statements_for(state),
              ElementsAre("REVOKE TEMPORARY ON DATABASE \"shop\" FROM PUBLIC"));
}

TEST(SchemaPlan, NamesOfPreparedStatementsAreHiddenByWhoeverMay) {
  SchemaState state = protected_state();
  state.database.public_may_list_prepared_statements = true;
  EXPECT_THAT(statements_for(state),
              ElementsAre("REVOKE ALL ON FUNCTION pg_catalog.pg_prepared_statement() FROM PUBLIC"));
  state.database.user_is_superuser = false;
  state.database.user_owns_database = true;
  EXPECT_THAT(statements_for(state), Not(Contains(HasSubstr("pg_prepared_statement"))));
}

TEST(SchemaPlan, FunctionsThatTenantsNeedNotHaveAreTakenByWhoeverMay) {
  SchemaState state = protected_state();
  state.database.needless_functions = {"pg_catalog.currtid2(text, tid)"};
  EXPECT_THAT(statements_for(state),
              ElementsAre("REVOKE ALL ON FUNCTION pg_catalog.currtid2(text, tid) FROM PUBLIC"));
  state.database.user_is_superuser = false;
  EXPECT_THAT(statements_for(state), Not(Contains(HasSubstr("currtid2"))));
}

TEST(SchemaPlan, TemporaryFilesOfASlotRoleAreLimited) {
  SchemaState state = protected_state();
  state.slots[0].temp_file_limit = "-1";
  EXPECT_THAT(statements_for(state),
              ElementsAre("ALTER ROLE \"slot_001\" SET temp_file_limit = 1048576"));
  // A superuser's RESET ALL takes the limit too.
  state = protected_state();
  state.slots[0].has_settings = true;
  EXPECT_THAT(statements_for(state),
              ElementsAre("ALTER ROLE \"slot_001\" RESET ALL",
                          "ALTER ROLE \"slot_001\" SET temp_file_limit = 1048576"));
  ProtectSettings none = settings();
  none.temp_file_limit_mib = 0;
  EXPECT_THAT(statements(plan_from(protected_state(), none)),
              ElementsAre("ALTER ROLE \"slot_001\" RESET temp_file_limit",
                          "ALTER ROLE \"slot_002\" RESET temp_file_limit"));
  // Nobody but a superuser can set it.
  state = protected_state();
  state.database.user_is_superuser = false;
  state.slots[0].temp_file_limit.clear();
  EXPECT_THAT(statements_for(state), Not(Contains(HasSubstr("temp_file_limit"))));
}

TEST(SchemaPlan, DefaultPrivilegesOfASlotRoleAreTakenBackByWhoeverMay) {
  SchemaState state = protected_state();
  state.slots[1].default_privileges = {"ALTER DEFAULT PRIVILEGES FOR ROLE slot_002 REVOKE …"};
  state.slots[1].user_may_act_as_it = true;
  EXPECT_THAT(statements_for(state), ElementsAre(state.slots[1].default_privileges[0]));
  state.slots[1].user_may_act_as_it = false;
  EXPECT_THAT(statements_for(state), IsEmpty());
  EXPECT_THAT(plan_from(state, settings()).findings,
              ElementsAre(Field(&SchemaFinding::object, "role slot_002")));
}

TEST(SchemaPlan, IndexesThatLeakAreNamed) {
  SchemaState state = protected_state();
  state.tables[0].indexes = {{.name = "orders_pkey", .method = "btree", .led_by_tenant = true},
                             {.name = "by_price", .method = "btree"},
                             {.name = "by_place", .method = "gist", .is_searched_early = true}};
  const SchemaPlan plan = plan_from(state, settings());
  EXPECT_THAT(statements(plan), IsEmpty());
  ASSERT_EQ(plan.findings.size(), 1U);
  EXPECT_EQ(plan.findings[0].level, FindingLevel::kError);
  EXPECT_THAT(plan.findings[0].message, HasSubstr("by_price, by_place"));
}

TEST(SchemaPlan, WhoRunsItAndNamedRolesStayConnected) {
  SchemaState state = protected_state();
  state.database.user_is_superuser = false;
  ProtectSettings named = settings();
  named.connect_roles = {"Migrator"};
  EXPECT_THAT(statements(plan_from(state, named)),
              ElementsAre("GRANT CONNECT ON DATABASE \"shop\" TO \"Migrator\"",
                          "GRANT CONNECT ON DATABASE \"shop\" TO CURRENT_USER"));
  state.database.connect_roles = {"Migrator", "admin"};
  EXPECT_THAT(statements(plan_from(state, named)), IsEmpty());
}

TEST(SchemaPlanText, ANameCannotEndItsComment) {
  SchemaState state = protected_state();
  state.tables[0].name = {"public", "x\nDROP TABLE y; --"};
  state.tables[0].tenant_type = "text";
  const std::string script =
      to_script(plan_from(state, settings()), "shop\nDROP DATABASE z;", seconds(1));
  EXPECT_THAT(script, Not(HasSubstr("\nDROP")));
}

TEST(RegisterKey, BlocksGiveTheMacOfRfc2104) {
  SeededRandom random(3);
  for (size_t length = 1; length <= 130; ++length) {
    std::string key(length, '\0');
    random.fill({reinterpret_cast<uint8_t*>(key.data()), key.size()});
    const KeyBlocks blocks = make_key_blocks(Secret(key));
    const std::string inner = std::string(blocks.inner.reveal()) + "message";
    const std::string outer = std::string(blocks.outer.reveal()).append(as_bytes(sha256(inner)));
    EXPECT_EQ(sha256(outer), hmac_sha256(key, "message")) << length;
  }
}

}  // namespace
}  // namespace partywall::sql
