#include "cache/quota/lookups.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

TEST(Lookups, CountsHitsAndMissesAmongOtherRequests) {
  Lookups lookups;
  lookups.asked(0, 1);
  lookups.asked(1, 1);
  lookups.asked(3, 5);  // number 2 looks for nothing
  lookups.found_nulls(1, 1);
  lookups.found_nulls(2, 1);
  const auto first = lookups.answered(3);
  EXPECT_EQ(first.hits, 1U);
  EXPECT_EQ(first.misses, 1U);
  lookups.found_nulls(3, 2);
  const auto second = lookups.answered(4);
  EXPECT_EQ(second.hits, 3U);
  EXPECT_EQ(second.misses, 2U);
  EXPECT_TRUE(lookups.empty());
}

TEST(Lookups, AnswersMayComeInAnyPieces) {
  Lookups lookups;
  for (uint64_t i = 0; i < 100; ++i) lookups.asked(i, 1);
  uint64_t hits = 0;
  uint64_t misses = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    if (i % 3 == 0) lookups.found_nulls(i, 1);
    if (i % 7 != 6 && i != 99) continue;
    const auto found = lookups.answered(i + 1);
    hits += found.hits;
    misses += found.misses;
  }
  EXPECT_EQ(misses, 34U);
  EXPECT_EQ(hits, 66U);
}

TEST(Lookups, MoreNullsThanKeysAreNoMoreMissesThanKeys) {
  Lookups lookups;
  lookups.asked(0, 1);
  lookups.found_nulls(0, 9);
  EXPECT_EQ(lookups.answered(1).misses, 1U);
  EXPECT_EQ(lookups.answered(1).misses, 0U);
}

}  // namespace
}  // namespace partywall::cache
