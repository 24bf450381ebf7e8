#include "migrate/schema/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/convert/transform.h"
#include "migrate/schema_builder.h"

namespace partywall::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> statements(const Difference& difference) {
  std::vector<std::string> all;
  for (const Step& step : difference.steps) all.push_back(step.sql);
  return all;
}

TEST(Difference, OfTheSameSchemaIsNothing) {
  const Difference difference = find_difference(shop(), shop());
  EXPECT_THAT(difference.steps, IsEmpty());
  EXPECT_THAT(difference.refusals, IsEmpty());
  EXPECT_THAT(difference.surplus, IsEmpty());
}

TEST(Difference, OfAnEmptyDatabaseIsEverythingInOrder) {
  const Conversion conversion = convert_catalog(shop(), {});
  Catalog empty;
  empty.schemas = {"public"};
  const auto steps = statements(find_difference(conversion.wanted, empty));
  EXPECT_THAT(
      steps,
      ElementsAre(
          "CREATE SEQUENCE public.customer_id_seq AS integer INCREMENT BY 1",
          "CREATE TABLE public.customer (\n  id integer NOT NULL,\n  email text,\n  tenant_id uuid "
          "NOT NULL\n)",
          "CREATE TABLE public.orders (\n  id integer NOT NULL,\n  customer_id integer,\n  "
          "tenant_id uuid NOT NULL\n)",
          "ALTER TABLE public.customer ALTER COLUMN id SET DEFAULT "
          "partywall_sequences.next_value('public.customer_id_seq'::regclass)",
          "ALTER TABLE public.customer ADD CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, id)",
          "ALTER TABLE public.customer ADD CONSTRAINT customer_email_key UNIQUE NULLS NOT DISTINCT "
          "(tenant_id, email)",
          "CREATE UNIQUE INDEX customer_lower ON public.customer USING btree (tenant_id, "
          "lower(email)) WHERE (id > 0)",
          "ALTER TABLE public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (tenant_id, id)",
          "ALTER TABLE public.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (tenant_id, "
          "customer_id) REFERENCES public.customer(tenant_id, id) ON UPDATE CASCADE ON DELETE SET "
          "NULL (customer_id)"));
}

TEST(Difference, AddsAColumnThatRowsCanDoWithout) {
  Catalog wanted = shop();
  wanted.tables[1].columns.push_back(column("note", "text"));
  Column paid = column("paid", "boolean");
  paid.not_null = true;
  paid.default_value = "false";
  wanted.tables[1].columns.push_back(paid);
  Catalog present = shop();
  present.tables[1].may_have_rows = true;
  const Difference difference = find_difference(wanted, present);
  EXPECT_THAT(statements(difference),
              ElementsAre("ALTER TABLE public.orders ADD COLUMN note text",
                          "ALTER TABLE public.orders ADD COLUMN paid boolean NOT NULL DEFAULT "
                          "false"));
  EXPECT_EQ(difference.steps[0].kind, StepKind::kAddOptionalColumn);
  EXPECT_EQ(difference.steps[1].kind, StepKind::kAddOptionalColumn);
}

TEST(Difference, RefusesAColumnThatTheRowsHaveNoValueFor) {
  Catalog wanted = shop();
  Column due = column("due", "date");
  due.not_null = true;
  wanted.tables[1].columns.push_back(due);
  Catalog present = shop();
  EXPECT_THAT(find_difference(wanted, present).refusals, IsEmpty());
  present.tables[1].may_have_rows = true;
  const Difference difference = find_difference(wanted, present);
  EXPECT_THAT(difference.steps, IsEmpty());
  ASSERT_THAT(difference.refusals, SizeIs(1));
  EXPECT_THAT(difference.refusals[0].remedy,
              HasSubstr("ALTER TABLE public.orders ADD COLUMN due date NOT NULL"));
}

TEST(Difference, RefusesToReinterpretData) {
  Catalog wanted = shop();
  wanted.tables[0].columns[1].type = "character varying(9)";
  constraint_of(wanted.tables[0], "customer_pkey").definition = "PRIMARY KEY (email)";
  wanted.tables[0].indexes[0].rest = "upper(email))";
  const Difference difference = find_difference(wanted, shop());
  EXPECT_THAT(difference.steps, IsEmpty());
  ASSERT_THAT(difference.refusals, SizeIs(3));
  EXPECT_EQ(difference.refusals[0].remedy,
            "ALTER TABLE public.customer ALTER COLUMN email TYPE character varying(9)");
}

TEST(Difference, RefusesARequiredColumnThatTheApplicationDoesNotKnow) {
  Catalog present = shop();
  present.tables[1].columns[1].not_null = true;
  Catalog wanted = shop();
  wanted.tables[1].columns.pop_back();
  wanted.tables[1].constraints.pop_back();
  const Difference difference = find_difference(wanted, present);
  ASSERT_THAT(difference.refusals, SizeIs(1));
  EXPECT_THAT(difference.refusals[0].message, HasSubstr("every INSERT would fail"));
}

TEST(Difference, ReportsWhatIsSurplus) {
  Catalog present = shop();
  present.tables[1].columns.push_back(column("extra"));
  present.tables[1].indexes.push_back({"extra_idx", false, "btree", "extra)"});
  present.tables.push_back({.name = "public.other"});
  EXPECT_THAT(find_difference(shop(), present).surplus, SizeIs(3));
}

TEST(Difference, GivesPartitionsTheirKeysFirst) {
  Catalog wanted = shop();
  wanted.tables.erase(wanted.tables.begin());
  wanted.tables[0].constraints.pop_back();
  wanted.tables[0].partition_key = "RANGE (id)";
  Table partition = wanted.tables[0];
  partition.name = "public.orders_1";
  partition.partition_key = "";
  partition.parent = "public.orders";
  partition.bound = "FOR VALUES FROM (1) TO (9)";
  partition.constraints = {primary_key("own_name", "id")};
  wanted.tables.push_back(partition);
  wanted.order = {"table public.orders", "table public.orders_1"};
  wanted.sequences.clear();
  Catalog empty;
  empty.schemas = {"public"};
  EXPECT_THAT(
      statements(find_difference(wanted, empty)),
      ElementsAre(HasSubstr("CREATE TABLE public.orders "),
                  HasSubstr("CREATE TABLE public.orders_1"), HasSubstr("ADD CONSTRAINT own_name"),
                  "ALTER TABLE public.orders ATTACH PARTITION public.orders_1 FOR VALUES FROM (1) "
                  "TO (9)",
                  HasSubstr("ADD CONSTRAINT orders_pkey")));
}

TEST(Difference, AddsLabelsInTheirPlace) {
  const auto with_labels = [](std::vector<std::string> labels) {
    Catalog catalog;
    std::string definition;
    for (const std::string& label : labels) definition += label;
    catalog.types = {{"public.mood", TypeKind::kEnum, definition, std::move(labels)}};
    catalog.order = {"type public.mood"};
    return catalog;
  };
  EXPECT_THAT(statements(find_difference(with_labels({"'a'", "'b'", "'c'", "'d'"}),
                                         with_labels({"'b'", "'d'"}))),
              ElementsAre("ALTER TYPE public.mood ADD VALUE 'a' BEFORE 'b'",
                          "ALTER TYPE public.mood ADD VALUE 'c' AFTER 'b'"));
  EXPECT_THAT(find_difference(with_labels({"'a'"}), with_labels({"'a'", "'b'"})).refusals,
              SizeIs(1));
}

TEST(Difference, LeavesOutRightsOfRolesThatAreNotThere) {
  Catalog wanted = shop();
  wanted.grants = {{"TABLE public.orders", "clerk", "INSERT"},
                   {"TABLE public.orders", "clerk", "SELECT"},
                   {"TABLE public.orders", "nobody", "SELECT"}};
  const Difference difference = find_difference(wanted, shop());
  EXPECT_THAT(statements(difference), ElementsAre("GRANT INSERT, SELECT ON TABLE public.orders TO "
                                                  "clerk"));
  EXPECT_THAT(difference.surplus, SizeIs(1));
}

}  // namespace
}  // namespace partywall::migrate
