#include "migrate/preflight/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/convert/transform.h"
#include "migrate/schema_builder.h"

namespace partywall::migrate {
namespace {

using sql::FindingLevel;
using sql::SchemaFinding;
using testing::HasSubstr;

SourceFacts good_source() {
  return {.database = "shop",
          .bytes = 1 << 20,
          .wal_level = "logical",
          .free_slots = 1,
          .free_senders = 1,
          .slot_wal_limit_mb = 1024};
}

TargetFacts good_target() {
  return {.database = "shared",
          .user = "loader",
          .passes_row_security = true,
          .may_load = true,
          .may_set_sequences = true,
          .may_note_progress = true};
}

std::vector<SchemaFinding> above_info(std::vector<SchemaFinding> findings) {
  std::erase_if(findings, [](const auto& one) { return one.level == FindingLevel::kInfo; });
  return findings;
}

TEST(Judge, FindsNothingWhereAllIsWell) {
  EXPECT_TRUE(
      above_info(judge_source(good_source(), SourceUse::kAtRest, Progress::kNotBegun)).empty());
  EXPECT_TRUE(judge_target(good_target(), good_source(), Progress::kNotBegun).empty());
}

struct SourceCase {
  std::function<void(SourceFacts&)> change;
  FindingLevel level;
  std::string message;
};

TEST(Judge, EachFactOfTheSourceIsOneFindingWithARemedy) {
  const std::vector<SourceCase> cases{
      {[](auto& f) { f.unreadable = {"a.b"}; }, FindingLevel::kError, "may not read a.b"},
      {[](auto& f) { f.unreadable_sequences = {"a.s"}; }, FindingLevel::kError, "sequences a.s"},
      {[](auto& f) { f.hidden = {"a.b", "a.c"}; }, FindingLevel::kError, "a.b, a.c"},
      {[](auto& f) { f.large_objects = 3; }, FindingLevel::kError, "3 large objects"},
      {[](auto& f) { f.orphans = {{"k on a.b", 2}}; }, FindingLevel::kWarning, "2 rows refer"},
      {[](auto& f) { f.filled = {{"a.b.id", "integer", 0.81}}; }, FindingLevel::kWarning, "81 %"},
      {[](auto& f) { f.wal_level = "replica"; }, FindingLevel::kWarning, "wal_level is replica"},
      {[](auto& f) { f.free_slots = 0; }, FindingLevel::kWarning, "no replication slot"},
      {[](auto& f) { f.free_senders = 0; }, FindingLevel::kWarning, "no WAL sender"},
      {[](auto& f) { f.slot_wal_limit_mb = -1; }, FindingLevel::kWarning, "max_slot_wal_keep_size"},
      {[](auto& f) { f.oldest_transaction = hours(1); }, FindingLevel::kWarning, "open for 1h"},
      {[](auto& f) { f.prepared_transactions = 1; }, FindingLevel::kWarning, "1 are prepared"},
      {[](auto& f) { f.without_identity = {"a.b"}; }, FindingLevel::kWarning, "rows of a.b apart"},
      {[](auto& f) { f.on_truncate = {"t on a.b"}; }, FindingLevel::kWarning, "on TRUNCATE"},
      {[](auto& f) { f.is_standby = true; }, FindingLevel::kWarning, "standby"},
  };
  for (const SourceCase& one : cases) {
    SourceFacts facts = good_source();
    one.change(facts);
    const auto found = above_info(judge_source(facts, SourceUse::kAtRest, Progress::kNotBegun));
    ASSERT_EQ(found.size(), 1U) << one.message;
    EXPECT_EQ(found[0].level, one.level) << one.message;
    EXPECT_THAT(found[0].message, HasSubstr(one.message));
    EXPECT_FALSE(found[0].remedy.empty()) << one.message;
  }
}

TEST(Judge, WhatFollowingNeedsIsAnErrorWhereTheSourceIsInUse) {
  const std::vector<SourceCase> cases{
      {[](auto& f) { f.wal_level = "replica"; }, FindingLevel::kError, "wal_level is replica"},
      {[](auto& f) { f.free_slots = 0; }, FindingLevel::kError, "no replication slot"},
      {[](auto& f) { f.free_slots = 1; }, FindingLevel::kError, "needs another"},
      {[](auto& f) { f.free_senders = 1; }, FindingLevel::kError, "needs another"},
      {[](auto& f) { f.without_identity = {"a.b"}; }, FindingLevel::kError, "rows of a.b apart"},
      {[](auto& f) { f.is_standby = true; }, FindingLevel::kError, "standby"},
      {[](auto& f) { f.slot_wal_limit_mb = -1; }, FindingLevel::kWarning, "max_slot_wal_keep_size"},
      {[](auto& f) { f.on_truncate = {"t on a.b"}; }, FindingLevel::kWarning, "on TRUNCATE"},
  };
  for (const SourceCase& one : cases) {
    SourceFacts facts = good_source();
    facts.free_slots = facts.free_senders = 2;
    one.change(facts);
    const auto found = above_info(judge_source(facts, SourceUse::kInUse, Progress::kNotBegun));
    ASSERT_EQ(found.size(), 1U) << one.message;
    EXPECT_EQ(found[0].level, one.level) << one.message;
    EXPECT_THAT(found[0].message, HasSubstr(one.message));
  }
  // Its own slot is there already.
  EXPECT_TRUE(above_info(judge_source(good_source(), SourceUse::kInUse, Progress::kBegun)).empty());
}

TEST(Judge, ColumnsWithHeadRoomAreFine) {
  SourceFacts facts = good_source();
  facts.filled = {{"a.b.id", "integer", 0.79}};
  EXPECT_TRUE(above_info(judge_source(facts, SourceUse::kAtRest, Progress::kNotBegun)).empty());
}

TEST(Judge, EachFactOfTheTargetIsAnErrorWithARemedy) {
  const std::vector<std::pair<std::function<void(TargetFacts&)>, std::string>> cases{
      {[](auto& f) { f.passes_row_security = false; }, "COPY FROM is refused"},
      {[](auto& f) { f.may_load = false; }, "session_replication_role"},
      {[](auto& f) { f.may_set_sequences = false; }, "sequences"},
      {[](auto& f) { f.may_note_progress = false; }, "partywall_migration"},
      {[](auto& f) { f.unwritable = {"a.b"}; }, "a.b"},
      {[](auto& f) { f.unmovable = {"a.s"}; }, "does not own the sequences a.s"},
      {[](auto& f) { f.firing = {"t on a.b"}; }, "t on a.b"},
      {[](auto& f) { f.filled = {"a.b"}; }, "has rows already in a.b"},
  };
  for (const auto& [change, message] : cases) {
    TargetFacts facts = good_target();
    change(facts);
    const auto found = judge_target(facts, good_source(), Progress::kNotBegun);
    ASSERT_EQ(found.size(), 1U) << message;
    EXPECT_EQ(found[0].level, FindingLevel::kError) << message;
    EXPECT_THAT(found[0].message, HasSubstr(message));
    EXPECT_FALSE(found[0].remedy.empty()) << message;
  }
}

TEST(Judge, RowsOfATenantWhoseMigrationHasBegunAreItsOwn) {
  TargetFacts facts = good_target();
  facts.filled = {"a.b"};
  EXPECT_TRUE(judge_target(facts, good_source(), Progress::kBegun).empty());
}

TEST(JudgeSchema, AConvertedSchemaFitsWhateverItsRightsAndComments) {
  const Catalog wanted = convert_catalog(shop(), {}).wanted;
  Catalog present = wanted;
  present.grants.insert({"TABLE public.orders", "clerk", "SELECT"});
  present.comments.emplace("TABLE public.orders", "orders");
  present.tables.push_back({.name = "public.beside"});
  present.order.push_back("table public.beside");
  EXPECT_TRUE(judge_schema(wanted, present).empty());
}

TEST(JudgeSchema, SaysWhatIsMissing) {
  const Catalog wanted = convert_catalog(shop(), {}).wanted;
  Catalog present = wanted;
  std::erase_if(present.tables[0].columns, [](const Column& one) { return one.name == "email"; });
  const auto found = judge_schema(wanted, present);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].level, FindingLevel::kError);
  EXPECT_THAT(found[0].message, HasSubstr("email"));
  EXPECT_THAT(found[0].remedy, HasSubstr("schema convert"));
}

TEST(JudgeSchema, EncodingsMustBeTheSame) {
  Catalog present = shop();
  present.encoding = "LATIN1";
  const auto found = judge_schema(shop(), present);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].message, HasSubstr("its encoding is LATIN1, the source's is UTF8"));
}

}  // namespace
}  // namespace partywall::migrate
