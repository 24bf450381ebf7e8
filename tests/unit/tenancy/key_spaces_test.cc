#include "tenancy/key_spaces.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

constexpr auto kRefuse = CacheAtQuota::kRefuse;
constexpr auto kEvict = CacheAtQuota::kEvict;

std::string problem(Limits& limits, std::string prefix) {
  const auto added = add_key_space(limits, {.prefix = std::move(prefix), .at_quota = kEvict});
  return added ? "" : added.error().message;
}

TEST(KeySpaces, TheLongestPrefixCountsInWhateverOrderTheyCame) {
  Limits limits;
  ASSERT_TRUE(add_key_space(limits, {.prefix = "page:", .at_quota = kEvict}));
  ASSERT_TRUE(add_key_space(limits, {.prefix = "p", .at_quota = kRefuse}));
  ASSERT_TRUE(add_key_space(limits, {.prefix = "page:draft:", .at_quota = kRefuse}));
  EXPECT_EQ(at_quota_of(limits, "page:1"), kEvict);
  EXPECT_EQ(at_quota_of(limits, "page:draft:1"), kRefuse);
  EXPECT_EQ(at_quota_of(limits, "page:draft"), kEvict);
  EXPECT_EQ(at_quota_of(limits, "pag"), kRefuse);
  EXPECT_EQ(at_quota_of(limits, ""), kRefuse);
  limits.cache_at_quota = kEvict;
  EXPECT_EQ(at_quota_of(limits, "pag"), kRefuse);
  EXPECT_EQ(at_quota_of(limits, "Page:1"), kEvict) << "in no space";
}

TEST(KeySpaces, AreBounded) {
  Limits limits;
  EXPECT_NE(problem(limits, ""), "");
  EXPECT_EQ(problem(limits, std::string(128, 'x')), "");
  EXPECT_EQ(problem(limits, std::string(129, 'x')), "a prefix has at most 128 bytes, this one 129");
  EXPECT_EQ(problem(limits, std::string(128, 'x')),
            "there is a key space '" + std::string(128, 'x') + "' already");
  for (int n = 1; n < 16; ++n) EXPECT_EQ(problem(limits, "space" + std::to_string(n)), "");
  EXPECT_EQ(problem(limits, "more"), "there are at most 16 key spaces");
}

}  // namespace
}  // namespace partywall
