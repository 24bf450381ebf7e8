#include "migrate/convert/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/convert/sequence_functions.h"
#include "migrate/schema_builder.h"

namespace partywall::migrate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string definition(Conversion& conversion, const std::string& table, const std::string& name) {
  return constraint_of(table_of(conversion.wanted, table), name).definition;
}

// The one refusal of a catalog.
std::string refusal(const Catalog& catalog, const ConversionRules& rules = {}) {
  const Conversion conversion = convert_catalog(catalog, rules);
  EXPECT_THAT(conversion.refusals, SizeIs(1));
  return conversion.refusals.empty() ? "" : conversion.refusals.front().message;
}

ConversionRules with_class(const std::string& table, TableClass table_class) {
  ConversionRules rules;
  rules.tables.emplace(table, Ruled<TableClass>{table_class, {}});
  return rules;
}

TEST(Conversion, PutsTheTenantIntoEveryKeyAndKeepsTheNames) {
  Conversion conversion = convert_catalog(shop(), {});
  EXPECT_THAT(conversion.refusals, IsEmpty());
  EXPECT_EQ(definition(conversion, "public.customer", "customer_pkey"),
            "PRIMARY KEY (tenant_id, id)");
  EXPECT_EQ(definition(conversion, "public.customer", "customer_email_key"),
            "UNIQUE NULLS NOT DISTINCT (tenant_id, email)");
  EXPECT_EQ(definition(conversion, "public.orders", "orders_customer_fkey"),
            "FOREIGN KEY (tenant_id, customer_id) REFERENCES public.customer(tenant_id, id) ON "
            "UPDATE CASCADE ON DELETE SET NULL (customer_id)");
  EXPECT_THAT(table_of(conversion.wanted, "public.customer").indexes,
              ElementsAre(Field(&Index::rest, "tenant_id, lower(email)) WHERE (id > 0)")));
}

TEST(Conversion, MakesTheTenantTheLastColumn) {
  Conversion conversion = convert_catalog(shop(), {});
  const Column& last = table_of(conversion.wanted, "public.orders").columns.back();
  EXPECT_EQ(last.name, "tenant_id");
  EXPECT_EQ(last.type, "uuid");
  EXPECT_TRUE(last.not_null);
}

TEST(Conversion, DrawsFromEachTenantsOwnSequence) {
  Conversion conversion = convert_catalog(shop(), {});
  EXPECT_EQ(table_of(conversion.wanted, "public.customer").columns[0].default_value,
            "partywall_sequences.next_value('public.customer_id_seq'::regclass)");
  EXPECT_TRUE(conversion.needs_sequence_functions);
  EXPECT_THAT(conversion.wanted.sequences, SizeIs(1));  // the template
}

TEST(Conversion, LeavesASharedSequenceAlone) {
  ConversionRules rules;
  rules.shared_sequences.emplace("public.customer_id_seq", SourcePosition{});
  Conversion conversion = convert_catalog(shop(), rules);
  EXPECT_EQ(table_of(conversion.wanted, "public.customer").columns[0].default_value,
            "nextval('public.customer_id_seq'::regclass)");
  EXPECT_FALSE(conversion.needs_sequence_functions);
  EXPECT_THAT(conversion.wanted.grants,
              Contains(Grant{"SEQUENCE public.customer_id_seq", "PUBLIC", "USAGE"}));
}

TEST(Conversion, MakesAnIdentityADefault) {
  Catalog catalog = shop();
  Column& id = catalog.tables[0].columns[0];
  id.default_value = "";
  id.identity = Identity::kAlways;
  Conversion conversion = convert_catalog(catalog, {});
  const Column& converted = table_of(conversion.wanted, "public.customer").columns[0];
  EXPECT_EQ(converted.identity, Identity::kNone);
  EXPECT_EQ(converted.default_value, next_value_call("public.customer_id_seq"));
  EXPECT_THAT(conversion.breaks,
              Contains(Field(&sql::SchemaFinding::message, HasSubstr("GENERATED ALWAYS"))));
}

TEST(Conversion, RefusesADefaultThatDrawsInAnUnknownWay) {
  Catalog catalog = shop();
  catalog.tables[0].columns[0].default_value = "my_next('public.customer_id_seq'::regclass)";
  EXPECT_THAT(refusal(catalog), HasSubstr("in a way that is not understood"));
}

TEST(Conversion, RefusesAColumnOfTheTenantsName) {
  Catalog catalog = shop();
  catalog.tables[1].columns.push_back(column("tenant_id"));
  EXPECT_THAT(refusal(catalog), HasSubstr("a column tenant_id of its own"));
  ConversionRules rules;
  rules.tenant_column = "owner_id";
  EXPECT_THAT(convert_catalog(catalog, rules).refusals, IsEmpty());
}

TEST(Conversion, KeepsAReferenceToAGlobalTable) {
  Conversion conversion =
      convert_catalog(shop(), with_class("public.customer", TableClass::kGlobal));
  EXPECT_THAT(conversion.refusals, IsEmpty());
  EXPECT_THAT(definition(conversion, "public.orders", "orders_customer_fkey"),
              HasSubstr("FOREIGN KEY (customer_id) REFERENCES public.customer(id)"));
  EXPECT_EQ(definition(conversion, "public.customer", "customer_pkey"), "PRIMARY KEY (id)");
  EXPECT_THAT(conversion.wanted.grants,
              Contains(Grant{"TABLE public.customer", "PUBLIC", "SELECT"}));
}

TEST(Conversion, RefusesReferencesThatWouldLeadOutOfTheTenant) {
  EXPECT_THAT(refusal(shop(), with_class("public.orders", TableClass::kGlobal)),
              HasSubstr("one for all tenants"));
  EXPECT_THAT(refusal(shop(), with_class("public.customer", TableClass::kExcluded)),
              HasSubstr("which is excluded"));
}

TEST(Conversion, RefusesActionsThatWouldChangeTheTenant) {
  Catalog catalog = shop();
  constraint_of(catalog.tables[1], "orders_customer_fkey").reference.on_update = "SET NULL";
  EXPECT_THAT(refusal(catalog), HasSubstr("ON UPDATE SET NULL"));
}

TEST(Conversion, TakesMatchFullWhereItCannotDiffer) {
  Catalog catalog = shop();
  Reference& reference = constraint_of(catalog.tables[1], "orders_customer_fkey").reference;
  reference.match_full = true;
  EXPECT_THAT(convert_catalog(catalog, {}).refusals, IsEmpty());
  reference.columns = {"id", "customer_id"};
  reference.referenced_columns = {"id", "email"};
  EXPECT_THAT(refusal(catalog), HasSubstr("MATCH FULL"));
  catalog.tables[1].columns[1].not_null = true;
  EXPECT_THAT(convert_catalog(catalog, {}).refusals, IsEmpty());
}

TEST(Conversion, PutsTheTenantIntoExclusionConstraints) {
  Catalog catalog = shop();
  Constraint exclusion{.name = "no_overlap",
                       .kind = ConstraintKind::kExclusion,
                       .definition = "EXCLUDE USING gist (during WITH &&) WHERE ((id > 0))",
                       .method = "gist"};
  catalog.tables[1].constraints.push_back(exclusion);
  Conversion conversion = convert_catalog(catalog, {});
  EXPECT_EQ(definition(conversion, "public.orders", "no_overlap"),
            "EXCLUDE USING gist (tenant_id WITH =, during WITH &&) WHERE ((id > 0))");
  EXPECT_TRUE(conversion.wanted.extensions.contains("btree_gist"));
  catalog.tables[1].constraints.back().method = "hash";
  EXPECT_THAT(refusal(catalog), HasSubstr("cannot hold the tenant"));
}

TEST(Conversion, GivesATableWithoutKeysAnIndex) {
  Catalog catalog = shop();
  catalog.tables[1].constraints.clear();
  catalog.tables[1].indexes = {{"partial", false, "btree", "id) WHERE (id > 0)"}};
  Conversion conversion = convert_catalog(catalog, {});
  EXPECT_THAT(table_of(conversion.wanted, "public.orders").indexes,
              Contains(testing::AllOf(Field(&Index::name, "orders_tenant_id_idx"),
                                      Field(&Index::rest, "tenant_id)"))));
}

TEST(Conversion, NoIndexIsLeftThatTellsATenantItsNeighboursValues) {
  Catalog catalog = shop();
  const auto converted = [&](const std::string& method, auto&&... more) {
    catalog.tables[1].indexes = {Index{"i", false, method, "place)", 0, more...}};
    return convert_catalog(catalog, {});
  };
  const auto index_of = [](Conversion conversion) {
    const auto& indexes = table_of(conversion.wanted, "public.orders").indexes;
    return indexes.empty() ? "" : indexes[0].method + " (" + indexes[0].rest;
  };
  EXPECT_EQ(index_of(converted("btree")), "btree (tenant_id, place)");
  EXPECT_EQ(index_of(converted("hash")), "btree (tenant_id, place)");
  EXPECT_EQ(index_of(converted("gist")), "gist (tenant_id, place)");
  EXPECT_TRUE(converted("gist").wanted.extensions.contains("btree_gist"));
  for (const char* method : {"gin", "brin", "spgist", "hnsw"}) {
    const Conversion conversion = converted(method);
    EXPECT_EQ(index_of(conversion), "") << method;
    EXPECT_THAT(conversion.breaks, Contains(Field(&sql::SchemaFinding::message,
                                                  HasSubstr("is left out: each tenant could"))));
  }
  // Full-text search: no statement of a tenant reaches it.
  EXPECT_EQ(index_of(converted("gin", false)), "gin (place)");
  EXPECT_THAT(converted("gin", false).findings,
              Contains(Field(&sql::SchemaFinding::message, HasSubstr("no use to tenants"))));
}

TEST(Conversion, PartitionsAreWhatTheirParentIs) {
  Catalog catalog = shop();
  catalog.tables[1].parent = "public.customer";
  constraint_of(catalog.tables[1], "orders_customer_fkey").reference.on_delete = "";
  const Conversion global =
      convert_catalog(catalog, with_class("public.customer", TableClass::kGlobal));
  EXPECT_EQ(global.classes.at("public.orders"), TableClass::kGlobal);
  EXPECT_THAT(refusal(catalog, with_class("public.orders", TableClass::kGlobal)),
              HasSubstr("what its parent is"));
}

TEST(Conversion, KnowsTheTablesOfMigrationTools) {
  EXPECT_EQ(usual_class("public.django_migrations"), TableClass::kGlobal);
  EXPECT_EQ(usual_class("app.alembic_version"), TableClass::kGlobal);
  EXPECT_EQ(usual_class("public.\"SequelizeMeta\""), TableClass::kGlobal);
  EXPECT_EQ(usual_class("public.migrations_of_birds"), TableClass::kTenant);
}

View view(std::string name, std::string options = "") {
  View view;
  view.name = std::move(name);
  view.options = std::move(options);
  view.query = " SELECT 1";
  return view;
}

TEST(Conversion, LetsViewsReadAsTheirReader) {
  Catalog catalog = shop();
  catalog.views = {view("public.v", "security_barrier=true, security_invoker=false")};
  const Conversion conversion = convert_catalog(catalog, {});
  EXPECT_THAT(conversion.wanted.views, ElementsAre(Field(&View::options,
                                                         "security_barrier=true, "
                                                         "security_invoker=true")));
  EXPECT_THAT(conversion.wanted.grants, Contains(Grant{"TABLE public.v", "PUBLIC", "SELECT"}));
}

TEST(Conversion, RefusesViewsThatRelyOnAKeyThatIsGone) {
  Catalog catalog = shop();
  catalog.views = {view("public.v")};
  catalog.views[0].keys = {"customer_pkey of public.customer"};
  EXPECT_THAT(refusal(catalog), HasSubstr("GROUP BY"));
  EXPECT_THAT(convert_catalog(catalog, with_class("public.customer", TableClass::kGlobal)).refusals,
              IsEmpty());
}

TEST(Conversion, RefusesMaterializedViewsUnlessTheRulesDecide) {
  Catalog catalog = shop();
  catalog.views = {view("public.m", "fillfactor=70")};
  catalog.views[0].is_materialized = true;
  EXPECT_THAT(refusal(catalog), HasSubstr("all tenants together"));
  ConversionRules rules;
  rules.materialized_views.emplace("public.m", Ruled<ViewTreatment>{ViewTreatment::kAsView, {}});
  const Conversion as_view = convert_catalog(catalog, rules);
  EXPECT_FALSE(as_view.wanted.views.front().is_materialized);
  EXPECT_EQ(as_view.wanted.views.front().options, "security_invoker=true");
  rules.materialized_views.at("public.m").choice = ViewTreatment::kExcluded;
  EXPECT_THAT(convert_catalog(catalog, rules).wanted.views, IsEmpty());
}

TEST(Conversion, RefusesWhatIsMadeOfSomethingExcluded) {
  Catalog catalog = shop();
  catalog.views = {view("public.v")};
  catalog.uses = {{"view public.v", "table public.orders"}};
  EXPECT_THAT(refusal(catalog, with_class("public.orders", TableClass::kExcluded)),
              HasSubstr("made of table public.orders"));
}

Routine routine(std::string body) {
  return {.signature = "public.f()",
          .kind = "FUNCTION",
          .definition =
              "CREATE OR REPLACE FUNCTION public.f()\n RETURNS void\n LANGUAGE plpgsql\n "
              "STABLE SECURITY DEFINER\nAS $function$" +
              body + "$function$\n",
          .is_definer = true,
          .language = "plpgsql",
          .source = std::move(body)};
}

TEST(Conversion, TakesTheOwnersRightsFromFunctions) {
  Catalog catalog = shop();
  catalog.routines = {routine(" SECURITY DEFINER ")};
  const Conversion conversion = convert_catalog(catalog, {});
  EXPECT_EQ(conversion.wanted.routines.front().definition,
            "CREATE OR REPLACE FUNCTION public.f()\n RETURNS void\n LANGUAGE plpgsql\n STABLE\nAS "
            "$function$ SECURITY DEFINER $function$\n");
  ConversionRules rules;
  rules.definers.emplace("public.f()", SourcePosition{});
  EXPECT_TRUE(convert_catalog(catalog, rules).wanted.routines.front().is_definer);
}

TEST(Conversion, ReadsBodiesByTokens) {
  Catalog catalog = shop();
  catalog.routines = {routine("BEGIN TRUNCATE t; PERFORM 'currval'; -- LOCK\n END")};
  const auto breaks = convert_catalog(catalog, {}).breaks;
  const auto of_function = [&](std::string_view word) {
    return std::ranges::count_if(breaks, [&](const auto& one) {
      return one.object == "function public.f()" && one.message.starts_with(word);
    });
  };
  EXPECT_EQ(of_function("TRUNCATE"), 1);
  EXPECT_EQ(of_function("currval"), 0);
  EXPECT_EQ(of_function("LOCK"), 0);
}

TEST(Conversion, GrantsNothingThatGoesPastRowLevelSecurity) {
  Catalog catalog = shop();
  catalog.grants = {{"TABLE public.orders", "clerk", "SELECT"},
                    {"TABLE public.orders", "clerk", "TRUNCATE"},
                    {"TABLE public.orders", "clerk", "REFERENCES (id)"},
                    {"TABLE public.orders", "PUBLIC", "DELETE"},
                    {"SEQUENCE public.customer_id_seq", "clerk", "UPDATE"},
                    {"TABLE public.gone", "clerk", "SELECT"}};
  EXPECT_THAT(convert_catalog(catalog, {}).wanted.grants,
              ElementsAre(Grant{"TABLE public.orders", "clerk", "SELECT"}));
}

TEST(Conversion, RefusesOtherObjectsUnlessTheyAreLeftOut) {
  Catalog catalog = shop();
  catalog.others = {{"rule r on public.orders", "a rewrite rule"}};
  EXPECT_EQ(refusal(catalog), "a rewrite rule");
  ConversionRules rules;
  rules.left_out.emplace("rule r on public.orders", SourcePosition{});
  EXPECT_THAT(convert_catalog(catalog, rules).refusals, IsEmpty());
}

}  // namespace
}  // namespace partywall::migrate
