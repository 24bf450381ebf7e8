#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "cache/quota/sampled_keys.h"

namespace partywall::cache {

// Estimates what share of a tenant's look-ups would find their key, had it room for some number of
// keys and dropped the least recently used: from the stack distances of a sample of its keys
// (SHARDS, Waldspurger and others, FAST 2015). The sample has a fixed size: the more keys there
// are, the smaller a part of them is in it. Thread-safe.
class HitRateEstimator {
 public:
  static constexpr size_t kSampledKeys = 1'024;

  // A key was looked up; `hash` must be spread evenly, and always the same for the key.
  void looked_up(uint64_t hash) {
    looked_up_.fetch_add(1, std::memory_order_relaxed);
    if (hash < threshold_.load(std::memory_order_relaxed)) sample(hash);
  }
  // 0 to 1; nothing before enough was seen.
  [[nodiscard]] std::optional<double> hit_rate(uint64_t keys) const;

 private:
  // A tenant that looks up little takes little.
  static constexpr size_t kFirstSlots = 64;
  static constexpr size_t kMostSlots = 4 * kSampledKeys;
  static constexpr uint32_t kBucketsPerDoubling = 8;
  static constexpr uint32_t kBuckets = 40 * kBucketsPerDoubling;

  static uint32_t bucket_of(double distance);
  void sample(uint64_t hash);
  [[nodiscard]] double rate() const;
  [[nodiscard]] uint32_t touched_after(uint32_t slot) const;
  void mark(uint32_t slot, int32_t change);
  [[nodiscard]] size_t slots() const { return tree_.empty() ? 0 : tree_.size() - 1; }
  void renumber();
  void drop_last_key();
  void age();

  std::atomic<uint64_t> looked_up_{0};
  // Keys whose hash is below are in the sample.
  std::atomic<uint64_t> threshold_{UINT64_MAX / 4};

  mutable std::mutex mutex_;
  SampledKeys keys_;           // their slots are in the order of their last touches
  std::vector<int32_t> tree_;  // Fenwick tree over the slots that are in use
  uint32_t next_slot_ = 1;
  std::array<double, kBuckets> distances_{};  // as many references, by distance
  double sampled_ = 0;                        // all of them, first ones too
  uint64_t forgotten_ = 0;                    // of looked_up_, by age()
};

}  // namespace partywall::cache
