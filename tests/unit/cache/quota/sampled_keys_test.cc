#include "cache/quota/sampled_keys.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

TEST(SampledKeys, IsAsAnOrderedMap) {
  std::mt19937_64 random(1);
  SampledKeys keys;
  std::map<uint64_t, uint32_t> model;
  uint32_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 3 == 0 && !model.empty()) {
      const auto greatest = std::prev(model.end());
      const SampledKeys::Key taken = keys.take_greatest();
      ASSERT_EQ(taken.hash, greatest->first);
      ASSERT_EQ(taken.slot, greatest->second);
      model.erase(greatest);
    } else {
      // Few of them, so that most are there already, and with the same low bits, so that they are
      // in each other's way.
      const uint64_t hash = (random() % 50) << 40U | random() % 4;
      uint32_t& slot = keys.slot_of(hash);
      ASSERT_EQ(slot, model[hash]);
      slot = model[hash] = next++;
    }
    ASSERT_EQ(keys.size(), model.size());
  }
  std::map<uint64_t, uint32_t> seen;
  keys.for_each([&](const SampledKeys::Key& key) { seen[key.hash] = key.slot; });
  EXPECT_EQ(seen, model);
}

}  // namespace
}  // namespace partywall::cache
