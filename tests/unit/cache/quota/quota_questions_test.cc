#include "cache/quota/quota_questions.h"

#include <gtest/gtest.h>

#include "cache/quota/request_policy.h"

namespace partywall::cache {
namespace {

// The argument at `index` of a request.
std::string argument(const std::string& request, uint32_t index) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < request.size()) {
    const size_t end = request.find("\r\n", at);
    lines.push_back(request.substr(at, end - at));
    at = end + 2;
  }
  return lines.at(2 + 2 * index);
}

TEST(CountKeys, WhereTheTenantRefusesItIsOnlyCountedInAllItsDatabases) {
  CountKeysOf count({.cache_keys = 10, .cache_databases = 2}, 1, 0);
  for (uint32_t database = 0; database < 2; ++database) {
    const auto step = count.next();
    ASSERT_TRUE(step);
    EXPECT_EQ(step->database, database);
    EXPECT_EQ(argument(step->request, 0), "DBSIZE");
    EXPECT_TRUE(count.answered(":50\r\n"));
  }
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.result(), 100U);
}

TEST(CountKeys, WhereItEvictsRoomIsMadeInSteps) {
  CountKeysOf count({.cache_keys = 1'000, .cache_at_quota = CacheAtQuota::kEvict}, 1, 0);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":1100\r\n"));
  const auto step = count.next();
  ASSERT_TRUE(step);
  EXPECT_EQ(step->request.find("-- "), std::string::npos);
  EXPECT_TRUE(count.answered("*2\r\n:1036\r\n:64\r\n"));
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered("*2\r\n:984\r\n:52\r\n"));
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.result(), 984U);
  EXPECT_EQ(count.evicted().keys, 116U);
}

TEST(CountKeys, WhereThereAreKeySpacesTheScriptIsToldOfThem) {
  const Limits limits{.cache_keys = 1'000,
                      .cache_key_spaces = {{.prefix = "page:", .at_quota = CacheAtQuota::kEvict},
                                           {.prefix = "job:", .at_quota = CacheAtQuota::kRefuse}}};
  CountKeysOf count(judged(limits, CacheAtQuota::kEvict), 1, 0);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":1000\r\n"));
  const auto step = count.next();
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->request.ends_with("$6\r\n+page:\r\n$5\r\n-job:\r\n$1\r\n-\r\n"));
  EXPECT_TRUE(count.tried_to_evict());
  CountKeysOf refused(judged(limits, CacheAtQuota::kRefuse), 1, 0);
  ASSERT_TRUE(refused.next());
  EXPECT_TRUE(refused.answered(":1000\r\n"));
  EXPECT_FALSE(refused.next());
  EXPECT_FALSE(refused.tried_to_evict());
}

TEST(CountKeys, WithRoomLeftNothingIsEvicted) {
  CountKeysOf count({.cache_keys = 1'000, .cache_at_quota = CacheAtQuota::kEvict}, 1, 0);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":992\r\n"));
  EXPECT_FALSE(count.next());
}

TEST(CountKeys, RoomIsMadeForWhatIsUnderWayToo) {
  CountKeysOf count({.cache_keys = 1'000, .cache_at_quota = CacheAtQuota::kEvict}, 1, 25);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":1000\r\n"));
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered("*2\r\n:950\r\n:50\r\n"));
  EXPECT_FALSE(count.next());
}

TEST(CountKeys, EndsWhereNothingCanBeEvicted) {
  CountKeysOf count({.cache_keys = 10, .cache_at_quota = CacheAtQuota::kEvict}, 1, 0);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":20\r\n"));
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered("*2\r\n:20\r\n:0\r\n"));
  EXPECT_FALSE(count.next());
}

IndexesToCount two_indexes() { return {.prefixes = {"tenant:{a}:", "tenant:{a}1:"}}; }

TEST(CountKeysByIndex, NamesAreCountedInEachIndex) {
  CountKeysOf count({.cache_keys = 100, .cache_databases = 7}, 1, 0, two_indexes());
  for (const char* index : {"partywall-keys:tenant:{a}:", "partywall-keys:tenant:{a}1:"}) {
    const auto step = count.next();
    ASSERT_TRUE(step);
    EXPECT_EQ(argument(step->request, 0), "SCARD");
    EXPECT_EQ(argument(step->request, 1), index);
    EXPECT_TRUE(count.answered(":40\r\n"));
  }
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.result(), 80U);
  EXPECT_FALSE(count.looked_through());
}

TEST(CountKeysByIndex, WhereItSeemsFullItLooksWhichKeysAreStillThere) {
  IndexesToCount indexes = two_indexes();
  indexes.may_look_through = true;
  CountKeysOf count({.cache_keys = 100}, 1, 0, indexes);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(count.next());
    EXPECT_TRUE(count.answered(":60\r\n"));
  }
  const auto first = count.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(argument(first->request, 0), "EVAL");
  EXPECT_EQ(argument(first->request, 3), "partywall-keys:tenant:{a}:");
  EXPECT_EQ(argument(first->request, 4), "0");
  EXPECT_EQ(argument(first->request, 6), "tenant:{a}:");
  EXPECT_TRUE(count.answered("*2\r\n:9\r\n:55\r\n"));
  EXPECT_EQ(argument(count.next()->request, 4), "9");
  EXPECT_TRUE(count.answered("*2\r\n:0\r\n:50\r\n"));
  EXPECT_EQ(count.next()->database, 1U);
  EXPECT_TRUE(count.answered("*2\r\n:7\r\n:30\r\n"));  // that is room enough
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.result(), 80U);
  EXPECT_TRUE(count.looked_through());
  EXPECT_TRUE(count.forgot_names());
}

TEST(CountKeysByIndex, WhatTheClientHasRemovedIsLookedAtFirst) {
  IndexesToCount indexes = two_indexes();
  indexes.database = 1;
  indexes.removed = {"x", "y"};
  CountKeysOf count({.cache_keys = 100}, 1, 0, indexes);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(count.next());
    EXPECT_TRUE(count.answered(":50\r\n"));
  }
  const auto step = count.next();
  ASSERT_TRUE(step);
  EXPECT_EQ(step->database, 1U);
  EXPECT_EQ(argument(step->request, 4), "x");
  EXPECT_EQ(argument(step->request, 5), "y");
  EXPECT_EQ(argument(step->request, 6), "tenant:{a}1:");
  EXPECT_TRUE(count.answered("*2\r\n:49\r\n:1\r\n"));
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.result(), 99U);
}

TEST(CountKeysByIndex, ItEvictsAsLongAsNamesGo) {
  IndexesToCount indexes{.prefixes = {"tenant:{a}:"}};
  CountKeysOf count({.cache_keys = 100, .cache_at_quota = CacheAtQuota::kEvict}, 1, 0, indexes);
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered(":500\r\n"));
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered("*2\r\n:244\r\n:0\r\n"));  // their keys were gone already
  ASSERT_TRUE(count.next());
  EXPECT_TRUE(count.answered("*2\r\n:84\r\n:64\r\n"));
  EXPECT_FALSE(count.next());
  EXPECT_EQ(count.evicted().keys, 64U);
  EXPECT_TRUE(count.forgot_names());
}

TEST(WeighKeys, GoesThroughAllKeysOfAllDatabases) {
  WeighKeysOf weigh({.cache_bytes = 1'000'000, .cache_databases = 2}, 10);
  ASSERT_TRUE(weigh.next());
  EXPECT_TRUE(weigh.answered("*2\r\n:17\r\n:600000\r\n"));
  EXPECT_TRUE(weigh.next()->request.contains("$2\r\n17\r\n"));
  EXPECT_TRUE(weigh.answered("*2\r\n:0\r\n:300000\r\n"));
  EXPECT_EQ(weigh.next()->database, 1U);
  EXPECT_TRUE(weigh.answered("*2\r\n:0\r\n:200000\r\n"));
  EXPECT_FALSE(weigh.next());
  EXPECT_EQ(weigh.result(), 1'100'000U);
}

TEST(WeighKeys, WhereTheTenantEvictsRoomIsMade) {
  WeighKeysOf weigh({.cache_bytes = 1'000'000, .cache_at_quota = CacheAtQuota::kEvict}, 10);
  ASSERT_TRUE(weigh.next());
  EXPECT_TRUE(weigh.answered("*2\r\n:0\r\n:1000000\r\n"));
  ASSERT_TRUE(weigh.next());
  EXPECT_TRUE(weigh.answered("*2\r\n:3\r\n:60000\r\n"));
  EXPECT_FALSE(weigh.next());
  EXPECT_EQ(weigh.result(), 940'000U);
  EXPECT_EQ(weigh.evicted().bytes, 60'000U);
}

TEST(WeighKeys, EndsWhereAllDatabasesAreEmpty) {
  WeighKeysOf weigh(
      {.cache_bytes = 100, .cache_at_quota = CacheAtQuota::kEvict, .cache_databases = 2}, 10);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(weigh.next());
    EXPECT_TRUE(weigh.answered("*2\r\n:0\r\n:100\r\n"));
  }
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(weigh.next());
    EXPECT_TRUE(weigh.answered("*2\r\n:0\r\n:0\r\n"));
  }
  EXPECT_FALSE(weigh.next());
}

TEST(QuotaQuestions, WhatIsNoAnswerIsNotUsed) {
  for (const std::string_view reply :
       {"-ERR no\r\n", "$1\r\na\r\n", "*1\r\n:1\r\n", "*2\r\n:1\r\n$1\r\na\r\n", ":-1\r\n"}) {
    CountKeysOf count({}, 1, 0);
    ASSERT_TRUE(count.next());
    EXPECT_FALSE(count.answered(reply)) << reply;
  }
}

TEST(ExistingKeys, AreAskedAboutAtOnce) {
  ExistingKeys existing(3, {"a", "b"});
  const auto step = existing.next();
  EXPECT_EQ(step->database, 3U);
  EXPECT_EQ(step->request, "*3\r\n$6\r\nEXISTS\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_TRUE(existing.answered(":2\r\n"));
  EXPECT_EQ(existing.result(), 2U);
  EXPECT_FALSE(existing.next());
}

}  // namespace
}  // namespace partywall::cache
