#include "tenancy/cache_tag.h"

#include <set>

#include <gtest/gtest.h>

#include "tenancy/tenant.h"

namespace partywall {
namespace {

// Two tenants with one tag would read each other's keys.
TEST(ShortCacheTag, EachNumberHasAnotherOne) {
  constexpr uint32_t kMany = 1U << 16;
  std::set<std::string> tags;
  for (uint32_t number = 0; number < kMany; ++number) {
    tags.insert(short_cache_tag(number));
    tags.insert(short_cache_tag(kShortCacheTags - 1 - number));
  }
  EXPECT_EQ(tags.size(), 2 * kMany);
}

TEST(ShortCacheTag, IsOneAndStays) {
  for (const uint32_t number : {0U, 1U, 1'000'000U, kShortCacheTags - 1}) {
    EXPECT_TRUE(check_cache_tag(short_cache_tag(number))) << number;
    EXPECT_EQ(short_cache_tag(number).size(), 5U);
  }
  EXPECT_EQ(short_cache_tag(0), "aaaaa");
  EXPECT_EQ(short_cache_tag(1), "7bz2v");
  EXPECT_EQ(short_cache_tag(2), "4dqth");
}

}  // namespace
}  // namespace partywall
