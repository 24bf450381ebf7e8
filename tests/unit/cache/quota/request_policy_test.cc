#include "cache/quota/request_policy.h"

#include <gtest/gtest.h>

#include "cache/commands/command_table.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

constexpr auto kRefuse = CacheAtQuota::kRefuse;
constexpr auto kEvict = CacheAtQuota::kEvict;

CacheAtQuota policy(const Limits& limits, std::initializer_list<std::string_view> words,
                    uint32_t missing = 0) {
  const std::string text = make_request(words);
  RequestParser parser;
  parser.parse(text, {});
  const Request& request = parser.request();
  const CommandRule* rule = find_command(request.name, request.first);
  return at_quota_of(limits, request, *rule, request.argument_count - missing);
}

const Limits kPages{.cache_key_spaces = {{.prefix = "page:", .at_quota = kEvict}}};
const Limits kJobs{.cache_at_quota = kEvict,
                   .cache_key_spaces = {{.prefix = "job:", .at_quota = kRefuse}}};

TEST(RequestPolicy, WithoutSpacesTheTenantsCounts) {
  EXPECT_EQ(policy({}, {"SET", "page:1", "x"}), kRefuse);
  EXPECT_EQ(policy({.cache_at_quota = kEvict}, {"SET", "page:1", "x"}), kEvict);
}

TEST(RequestPolicy, TheKeysThatItMakesSayIt) {
  EXPECT_EQ(policy(kPages, {"SET", "page:1", "x"}), kEvict);
  EXPECT_EQ(policy(kPages, {"SET", "job:1", "page:1"}), kRefuse);
  EXPECT_EQ(policy(kPages, {"HSET", "page:1", "job:1", "x"}), kEvict);
  EXPECT_EQ(policy(kPages, {"SUNIONSTORE", "page:d", "job:1", "job:2"}), kEvict);
  EXPECT_EQ(policy(kPages, {"SORT", "page:1", "STORE", "job:1"}), kRefuse);
  EXPECT_EQ(policy(kPages, {"COPY", "job:1", "page:1"}), kEvict);
  EXPECT_EQ(policy(kPages, {"COPY", "page:1", "job:1"}), kRefuse);
  EXPECT_EQ(policy(kJobs, {"LMOVE", "page:1", "page:2", "LEFT", "LEFT"}), kEvict);
}

TEST(RequestPolicy, OneKeyThatMustNotGetLostIsEnough) {
  EXPECT_EQ(policy(kPages, {"MSET", "page:1", "x", "page:2", "x"}), kEvict);
  EXPECT_EQ(policy(kPages, {"MSET", "page:1", "x", "job:1", "x"}), kRefuse);
  EXPECT_EQ(policy(kPages, {"EVAL", "return 1", "2", "page:1", "job:1"}), kRefuse);
  EXPECT_EQ(policy(kPages, {"EVAL", "return 1", "1", "page:1", "job:1"}), kEvict);
}

TEST(RequestPolicy, AScriptThatNamesNoKeysIsJudgedAsTheTenantIs) {
  EXPECT_EQ(policy(kPages, {"EVAL", "return 1", "0"}), kRefuse);
  EXPECT_EQ(policy(kJobs, {"EVAL", "return 1", "0"}), kEvict);
}

TEST(RequestPolicy, KeysThatAreStillToComeMayBeOfAnySpace) {
  EXPECT_EQ(policy(kJobs, {"MSET", "page:1", "x", "page:2", "x"}, 2), kRefuse);
  EXPECT_EQ(policy(kPages, {"SET", "page:1", "x"}, 1), kEvict);
  const Limits all{.cache_at_quota = kEvict,
                   .cache_key_spaces = {{.prefix = "a", .at_quota = kEvict}}};
  EXPECT_EQ(policy(all, {"MSET", "page:1", "x", "page:2", "x"}, 2), kEvict);
}

TEST(RequestPolicy, AQuestionKnowsTheRestAsASpaceOfAllKeys) {
  const Limits limits = judged(kPages, kEvict);
  EXPECT_EQ(limits.cache_at_quota, kEvict);
  ASSERT_EQ(limits.cache_key_spaces.size(), 2U);
  EXPECT_EQ(limits.cache_key_spaces.back(), CacheKeySpace{});
  EXPECT_TRUE(judged({}, kEvict).cache_key_spaces.empty());
}

}  // namespace
}  // namespace partywall::cache
