#include "cache/quota/hit_rate_estimator.h"

#include <cmath>
#include <list>
#include <unordered_map>

#include <gtest/gtest.h>

#include "base/keyed_hash.h"
#include "support/sanitizers.h"

namespace partywall::cache {
namespace {

// Keys by popularity: the n-th is used as 1 / n^exponent.
std::vector<uint32_t> zipf(uint32_t keys, double exponent, size_t length, uint64_t seed) {
  std::vector<double> sums(keys);
  double sum = 0;
  for (uint32_t i = 0; i < keys; ++i) sums[i] = sum += std::pow(i + 1, -exponent);
  SeededRandom random(seed);
  std::vector<uint32_t> trace(length);
  for (uint32_t& key : trace) {
    const double at = static_cast<double>(random.next_u64() >> 11) * 0x1.0p-53 * sum;
    key = static_cast<uint32_t>(std::ranges::lower_bound(sums, at) - sums.begin());
  }
  return trace;
}

double exact_lru(const std::vector<uint32_t>& trace, size_t capacity) {
  std::list<uint32_t> order;
  std::unordered_map<uint32_t, std::list<uint32_t>::iterator> places;
  size_t hits = 0;
  for (const uint32_t key : trace) {
    if (const auto found = places.find(key); found != places.end()) {
      ++hits;
      order.splice(order.begin(), order, found->second);
      continue;
    }
    order.push_front(key);
    places[key] = order.begin();
    if (order.size() <= capacity) continue;
    places.erase(order.back());
    order.pop_back();
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

uint64_t hash_of(uint32_t key) {
  static const KeyedHash hash({1, 2});
  return hash(std::to_string(key));
}

class HitRate : public testing::TestWithParam<double> {};

TEST_P(HitRate, IsNearToThatOfAnExactCache) {
  for (uint64_t seed = 1; seed <= (kSanitized ? 1 : 3); ++seed) {
    const auto trace = zipf(20'000, GetParam(), 400'000, seed);
    HitRateEstimator estimator;
    for (const uint32_t key : trace) estimator.looked_up(hash_of(key));
    for (const size_t capacity : {250, 500, 1'000, 2'000, 4'000, 8'000}) {
      EXPECT_NEAR(*estimator.hit_rate(capacity), exact_lru(trace, capacity), 0.05)
          << capacity << " keys, seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Zipf, HitRate, testing::Values(0.7, 0.9, 1.1));

TEST(HitRateEstimator, SaysNothingAtFirst) {
  HitRateEstimator estimator;
  EXPECT_FALSE(estimator.hit_rate(100));
  estimator.looked_up(1);
  EXPECT_FALSE(estimator.hit_rate(100));
}

TEST(HitRateEstimator, ForgetsWhatWasLongAgo) {
  HitRateEstimator estimator;
  const auto once = [&](uint32_t first, uint32_t count) {
    for (uint32_t key = first; key < first + count; ++key) estimator.looked_up(hash_of(key));
  };
  once(0, 300'000);  // each key once: nothing would be found again
  EXPECT_LT(*estimator.hit_rate(1'000), 0.05);
  for (int i = 0; i < 20'000; ++i) once(0, 500);
  EXPECT_GT(*estimator.hit_rate(1'000), 0.9);
}

TEST(HitRateEstimator, MoreRoomNeverMakesItWorse) {
  HitRateEstimator estimator;
  for (const uint32_t key : zipf(5'000, 0.9, 100'000, 7)) estimator.looked_up(hash_of(key));
  double before = 0;
  for (uint64_t keys = 1; keys < 100'000; keys *= 2) {
    EXPECT_GE(*estimator.hit_rate(keys), before);
    before = *estimator.hit_rate(keys);
  }
}

}  // namespace
}  // namespace partywall::cache
