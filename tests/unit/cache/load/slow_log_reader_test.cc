#include "cache/load/slow_log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;

const TenantId kAcmeUser(Uuid::from_halves(1, 1));

constexpr int64_t kNow = 1'700'000'000;
const WallTime kBegan{seconds(kNow)};

ReplyTree text(std::string words) { return {.type = '$', .text = std::move(words)}; }
ReplyTree number(int64_t value) { return {.type = ':', .number = value}; }

ReplyTree entry(int64_t id, int64_t took, std::string name = tenant_user(kAcmeUser),
                int64_t at = kNow) {
  return {.type = '*',
          .items = {number(id),
                    number(at),
                    number(took),
                    {.type = '*'},
                    text("127.0.0.1:1"),
                    text(std::move(name))}};
}

ReplyTree answer(std::vector<ReplyTree> entries) {
  return {.type = '*', .items = std::move(entries)};
}

// The latest first, as Redis answers.
ReplyTree entries_from(int64_t newest, int64_t oldest) {
  std::vector<ReplyTree> all;
  for (int64_t id = newest; id >= oldest; --id) all.push_back(entry(id, 1'000));
  return answer(std::move(all));
}

TEST(SlowLogReader, WhatWasThereBeforeIsNotCounted) {
  SlowLogReader reader{kBegan};
  const std::string acme = tenant_user(kAcmeUser);
  EXPECT_EQ(reader.take(answer({entry(7, 500), entry(6, 400, acme, kNow - 1)}))->size(), 1u);
  const auto uses = *reader.take(answer({entry(8, 900), entry(7, 500), entry(6, 400)}));
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].tenant, kAcmeUser);
  EXPECT_EQ(uses[0].took, microseconds(900));
  EXPECT_THAT(*reader.take(answer({entry(8, 900)})), testing::IsEmpty());
}

TEST(SlowLogReader, OnlyConnectionsOfTenantsCount) {
  SlowLogReader reader{kBegan};
  reader.take(answer({}));
  EXPECT_THAT(*reader.take(answer({entry(2, 1, ""), entry(1, 1, "somebody"),
                                   entry(0, 1, "partywall-tenant-no-uuid")})),
              testing::IsEmpty());
}

TEST(SlowLogReader, AsksForMoreWhereMoreIsNew) {
  SlowLogReader reader{kBegan};
  reader.take(answer({entry(0, 1)}));
  EXPECT_THAT(reader.question(), HasSubstr("$2\r\n64\r\n"));
  EXPECT_FALSE(reader.take(entries_from(200, 137)));
  EXPECT_TRUE(reader.wants_more());
  EXPECT_THAT(reader.question(), HasSubstr("$4\r\n1024\r\n"));
  EXPECT_EQ(reader.take(entries_from(200, 0))->size(), 200u);
  EXPECT_THAT(reader.question(), HasSubstr("$2\r\n64\r\n"));
}

TEST(SlowLogReader, WhatRedisHasForgottenIsNotWaitedFor) {
  SlowLogReader reader{kBegan};
  reader.take(answer({entry(0, 1)}));
  EXPECT_FALSE(reader.take(entries_from(5'000, 5'000 - 63)));
  EXPECT_EQ(reader.take(entries_from(5'000, 5'000 - 1'023))->size(), 1'024u);
}

TEST(SlowLogReader, AfterARestartRedisCountsAnew) {
  SlowLogReader reader{kBegan};
  reader.take(answer({entry(100, 1)}));
  EXPECT_EQ(reader.take(answer({entry(1, 1), entry(0, 1)}))->size(), 2u);
}

TEST(SlowLogReader, TakesNothingThatIsNoSlowLog) {
  SlowLogReader reader{kBegan};
  EXPECT_FALSE(reader.take(text("what")));
  EXPECT_FALSE(reader.wants_more());
  EXPECT_FALSE(reader.take(answer({text("what")})));
  EXPECT_FALSE(reader.take(answer({answer({number(1)})})));
}

}  // namespace
}  // namespace partywall::cache
