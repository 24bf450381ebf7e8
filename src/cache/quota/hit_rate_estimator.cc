#include "cache/quota/hit_rate_estimator.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace partywall::cache {
namespace {

constexpr double kEnough = 100;        // sampled references
constexpr double kAgesAbove = 65'536;  // then the old ones count half

}  // namespace

std::optional<double> HitRateEstimator::hit_rate(uint64_t keys) const {
  const std::lock_guard lock(mutex_);
  if (sampled_ < kEnough) return std::nullopt;
  // Where the sample has a popular key too many or too few, its references are all near.
  const double expected =
      static_cast<double>(looked_up_.load(std::memory_order_relaxed) - forgotten_) * rate();
  double hits = expected - sampled_;
  const uint32_t last = bucket_of(static_cast<double>(keys));
  for (uint32_t i = 0; i < last; ++i) hits += distances_[i];
  hits += distances_[last] / 2;
  return std::clamp(hits / expected, 0.0, 1.0);
}

double HitRateEstimator::rate() const {
  return static_cast<double>(threshold_.load(std::memory_order_relaxed)) /
         static_cast<double>(UINT64_MAX);
}

uint32_t HitRateEstimator::bucket_of(double distance) {
  const double bucket = std::log2(distance + 1) * kBucketsPerDoubling;
  return std::min(static_cast<uint32_t>(bucket), kBuckets - 1);
}

void HitRateEstimator::sample(uint64_t hash) {
  const std::lock_guard lock(mutex_);
  if (hash >= threshold_.load(std::memory_order_relaxed)) return;
  if (next_slot_ > slots()) renumber();
  sampled_ += 1;
  uint32_t& slot = keys_.slot_of(hash);
  if (slot != 0) {
    distances_[bucket_of(touched_after(slot) / rate())] += 1;
    mark(slot, -1);
  }
  slot = next_slot_;
  mark(next_slot_++, 1);
  if (keys_.size() > kSampledKeys) drop_last_key();
  if (sampled_ > kAgesAbove) age();
}

// How many other keys were touched since.
uint32_t HitRateEstimator::touched_after(uint32_t slot) const {
  int32_t up_to = 0;
  for (uint32_t i = slot; i > 0; i -= i & -i) up_to += tree_[i];
  return static_cast<uint32_t>(keys_.size()) - static_cast<uint32_t>(up_to);
}

void HitRateEstimator::mark(uint32_t slot, int32_t change) {
  for (uint32_t i = slot; i <= slots(); i += i & -i) tree_[i] += change;
}

// All slots have been given out: the ones in use move together, and there will be four times as
// many.
void HitRateEstimator::renumber() {
  std::vector<uint32_t*> touches;
  touches.reserve(keys_.size());
  keys_.for_each([&](SampledKeys::Key& key) { touches.push_back(&key.slot); });
  std::ranges::sort(touches, {}, [](const uint32_t* slot) { return *slot; });
  tree_.assign(std::clamp(std::bit_ceil(4 * touches.size()), kFirstSlots, kMostSlots) + 1, 0);
  next_slot_ = 1;
  for (uint32_t* slot : touches) {
    *slot = next_slot_;
    mark(next_slot_++, 1);
  }
}

// The sample is full: the key with the greatest hash leaves it, and so a smaller part of all keys
// is in it from now on. What was counted at the old rate counts as at the new one.
void HitRateEstimator::drop_last_key() {
  const SampledKeys::Key last = keys_.take_greatest();
  const double before = rate();
  mark(last.slot, -1);
  threshold_.store(last.hash, std::memory_order_relaxed);
  const double part = rate() / before;
  for (double& count : distances_) count *= part;
  sampled_ *= part;
}

void HitRateEstimator::age() {
  for (double& count : distances_) count /= 2;
  sampled_ /= 2;
  forgotten_ += (looked_up_.load(std::memory_order_relaxed) - forgotten_) / 2;
}

}  // namespace partywall::cache
