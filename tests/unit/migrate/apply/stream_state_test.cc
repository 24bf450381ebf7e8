#include "migrate/apply/stream_state.h"

#include <gmock/gmock.h>

#include "migrate/apply/lag.h"
#include "migrate/apply/publication_plan.h"
#include "migrate/apply/stream_names.h"

namespace partywall::migrate {
namespace {

using testing::HasSubstr;

const Uuid kStreamTenant = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");

// Slot: absent, there, lost; progress: absent, none, some.
TEST(StreamState, EveryStateIsDecided) {
  const std::optional<StreamState::Slot> none, there{StreamState::Slot{}},
      lost{StreamState::Slot{.is_lost = true}};
  const auto start = [](std::optional<StreamState::Slot> slot, std::optional<Lsn> progress) {
    return decide_start({.slot = slot, .progress = progress}, "s");
  };
  EXPECT_EQ(start(none, {}), StreamStart::kNew);
  EXPECT_EQ(start(none, Lsn{}), StreamStart::kNew);
  EXPECT_FALSE(start(none, Lsn{5}));
  EXPECT_FALSE(start(there, {}));
  EXPECT_EQ(start(there, Lsn{}), StreamStart::kInterrupted);
  EXPECT_EQ(start(there, Lsn{5}), StreamStart::kResume);
  EXPECT_FALSE(start(lost, {}));
  EXPECT_EQ(start(lost, Lsn{}), StreamStart::kInterrupted);
  EXPECT_FALSE(start(lost, Lsn{5}));
  EXPECT_THAT(start(none, Lsn{5}).error().message, HasSubstr("migrate forget"));
}

// Whatever lies between was confirmed, and is never sent again.
TEST(StreamState, ATargetThatRemembersLessThanWasConfirmedIsRefused) {
  const auto start = [](Lsn confirmed, Lsn progress) {
    return decide_start({.slot = StreamState::Slot{.confirmed = confirmed}, .progress = progress},
                        "s");
  };
  EXPECT_EQ(start(Lsn{5}, Lsn{5}), StreamStart::kResume);
  EXPECT_EQ(start(Lsn{5}, Lsn{6}), StreamStart::kResume);
  EXPECT_EQ(start(Lsn{6}, Lsn{}), StreamStart::kInterrupted);
  const auto refused = start(Lsn{6}, Lsn{5});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("remembers it up to 0/5 only"));
}

TEST(StreamState, OldServersAreRefused) {
  EXPECT_TRUE(check_versions(130'000, 150'000));
  EXPECT_THAT(check_versions(120'017, 150'000).error().message,
              HasSubstr("source is PostgreSQL 12"));
  EXPECT_THAT(check_versions(170'000, 140'011).error().message,
              HasSubstr("target is PostgreSQL 14"));
}

TEST(StreamNames, AreTheSameForTheSameTenantAndTarget) {
  const std::string name = stream_name(kStreamTenant, {.system = "1", .oid = "5"});
  EXPECT_EQ(name, stream_name(kStreamTenant, {.system = "1", .oid = "5"}));
  EXPECT_NE(name, stream_name(kStreamTenant, {.system = "1", .oid = "6"}));
  EXPECT_NE(name, stream_name(kStreamTenant, {.system = "2", .oid = "5"}));
  EXPECT_NE(name, stream_name(Uuid(), {.system = "1", .oid = "5"}));
  EXPECT_LE(name.size(), 63u);
  EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos);
}

StreamTable table(std::string name, bool has_tenant) {
  StreamTable made{.schema = "public",
                   .name = std::move(name),
                   .identity = ReplicaIdentity::kKey,
                   .columns = {}};
  made.columns = {{.name = "id", .type = "integer", .is_primary = true, .is_identity = true}};
  if (has_tenant)
    made.columns.push_back(
        {.name = "tenant_id", .type = "uuid", .is_primary = true, .is_identity = true});
  return made;
}

void put(StreamTables& tables, StreamTable one) {
  tables.insert_or_assign({one.schema, one.name}, one);
}

const TenantColumns kAddTenant{
    .tenant = kStreamTenant, .source = std::nullopt, .target = "tenant_id"};

TEST(PublicationPlan, TablesOfAllTenantsAreNotFollowed) {
  StreamTables source, target;
  put(source, table("film", false));
  put(source, table("django_migrations", false));
  put(target, table("film", true));
  put(target, table("django_migrations", false));
  const PublicationPlan plan = plan_publication(source, target, kAddTenant, {});
  EXPECT_THAT(plan.tables, testing::ElementsAre(testing::Pair("public", "film")));
  EXPECT_THAT(plan.refusals, testing::IsEmpty());
}

TEST(PublicationPlan, WhatWouldBreakTheApplicationOrLoseRowsIsRefused) {
  StreamTables source, target;
  put(target, table("film", true));
  StreamTable keyless = table("film", false);
  keyless.identity = ReplicaIdentity::kNothing;
  put(source, keyless);
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {}).refusals,
              testing::ElementsAre(HasSubstr("REPLICA IDENTITY FULL")));
  put(source, table("film", false));
  put(source, table("scratch", false));
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {}).refusals,
              testing::ElementsAre(HasSubstr("scratch is not in the target")));
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {{"public", "scratch"}}).refusals,
              testing::IsEmpty());
  StreamTable secured = table("film", true);
  secured.has_row_security = true;
  put(target, secured);
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {{"public", "scratch"}}).refusals,
              testing::ElementsAre(HasSubstr("BYPASSRLS")));
}

TEST(PublicationPlan, PartitionsComeWithTheirTable) {
  StreamTables source, target;
  for (const bool in_target : {false, true}) {
    StreamTable root = table("payment", in_target), part = table("payment_1", in_target);
    root.is_partitioned = part.is_partition = true;
    put(in_target ? target : source, root);
    put(in_target ? target : source, part);
  }
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {}).tables,
              testing::ElementsAre(testing::Pair("public", "payment")));
}

TEST(PublicationPlan, PartitionsOfATableThatIsLeftOutAreToo) {
  StreamTables source, target;
  StreamTable root = table("payment", false), part = table("payment_1", false);
  root.is_partitioned = part.is_partition = true;
  root.root = part.root = {"public", "payment"};
  put(source, root);
  put(source, part);
  put(source, table("film", false));
  put(target, table("film", true));
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {}).refusals, testing::SizeIs(2));
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {{"public", "payment"}}).refusals,
              testing::IsEmpty());
}

TEST(PublicationPlan, TriggersThatWouldActASecondTimeAreRefused) {
  StreamTables source, target;
  put(source, table("film", false));
  StreamTable loud = table("film", true);
  loud.acting_triggers = "spoil";
  put(target, loud);
  EXPECT_THAT(plan_publication(source, target, kAddTenant, {}).refusals,
              testing::ElementsAre(
                  testing::AllOf(HasSubstr("ENABLE ALWAYS or REPLICA"), HasSubstr("spoil"))));
}

TEST(PublicationPlan, UnloggedTablesAreSaid) {
  StreamTables source, target;
  put(source, table("film", false));
  StreamTable unlogged = table("cache", false);
  unlogged.is_unlogged = true;
  put(source, unlogged);
  put(target, table("film", true));
  put(target, table("cache", true));
  const PublicationPlan plan = plan_publication(source, target, kAddTenant, {});
  EXPECT_EQ(plan.tables.size(), 1u);
  EXPECT_THAT(plan.warnings, testing::ElementsAre(HasSubstr("cache is UNLOGGED")));
}

TEST(LagMeter, TakesTheLeastDifferenceOfTheClocksOff) {
  LagMeter lag;
  lag.saw_source_time({1'000}, {6'000});
  lag.saw_source_time({2'000}, {9'000});
  lag.applied({2'000}, {10'000});
  lag.applied({2'000}, {12'000});
  const LagSummary summary = lag.take_summary();
  EXPECT_EQ(summary.transactions, 2u);
  EXPECT_EQ(summary.max_us, 5'000);
  EXPECT_EQ(lag.take_summary().transactions, 0u);
}

}  // namespace
}  // namespace partywall::migrate
