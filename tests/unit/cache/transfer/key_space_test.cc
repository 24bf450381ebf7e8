#include "cache/transfer/key_space.h"

#include <gtest/gtest.h>

#include "cache/glob.h"
#include "cache/transfer/pace.h"

namespace partywall::cache {
namespace {

TEST(KeySpace, ItsPatternMatchesItsPrefixAlone) {
  for (const char* prefix : {"tenant:{42}:", "a*b", "a?b:", "[x]", "^y", "back\\slash", "-"}) {
    const KeySpace space{.prefix = prefix};
    EXPECT_TRUE(glob_matches(space.pattern(), std::string(prefix) + "key")) << prefix;
    EXPECT_TRUE(glob_matches(space.pattern(), prefix)) << prefix;
    EXPECT_FALSE(glob_matches(space.pattern(), "aXb:key")) << prefix;
    EXPECT_FALSE(glob_matches(space.pattern(), "x")) << prefix;
    EXPECT_FALSE(glob_matches(space.pattern(), "tenant:{43}:key")) << prefix;
  }
  EXPECT_EQ(KeySpace().pattern(), "*");
}

TEST(KeySpace, OfAllDatabasesHoldsTheTenantsKeysAlone) {
  const KeySpace space{.prefix = "tenant:a", .all_databases = true};
  for (const char* key :
       {"tenant:a:k", "tenant:a.1:k", "tenant:a.15:", "tenant:a.what a script made"})
    EXPECT_TRUE(space.holds(key) && glob_matches(space.pattern(), key)) << key;
  for (const char* key : {"tenant:a", "tenant:a-b:k", "tenant:ab.1:k", "tenant:{a}:k", "x"})
    EXPECT_FALSE(space.holds(key) || glob_matches(space.pattern(), key)) << key;
}

TEST(Pace, WaitsForWhatIsAhead) {
  ManualTime time;
  Duration slept{0};
  Pace pace(1'000'000, time, [&](Duration wait) {
    slept += wait;
    time.advance(wait);
  });
  for (int i = 0; i < 100; ++i) pace.moved(100'000);
  EXPECT_EQ(pace.total_bytes(), 10'000'000u);
  EXPECT_EQ(slept, seconds(10));
}

TEST(Pace, WithoutALimitThereIsNoWaiting) {
  ManualTime time;
  Pace pace(0, time, [](Duration) { FAIL(); });
  pace.moved(UINT32_MAX);
}

}  // namespace
}  // namespace partywall::cache
