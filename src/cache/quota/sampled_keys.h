#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partywall::cache {

// The keys in the sample of a HitRateEstimator, by their hashes, each with the slot of its last
// touch. Keys are looked up all the time, are added now and then, and leave one by one, the one
// with the greatest hash first: so it is a hash table with open addressing, and only leaving is
// slow. Hashes must be spread evenly.
class SampledKeys {
 public:
  struct Key {
    uint64_t hash = 0;
    uint32_t slot = 0;  // 0: there is no such key
  };

  // A slot of 0 when it was not there before; it must get another one then.
  uint32_t& slot_of(uint64_t hash);
  // There must be one.
  Key take_greatest();
  [[nodiscard]] size_t size() const { return size_; }

  // In no order.
  template <class Visit>
  void for_each(const Visit& visit) {
    for (Key& key : keys_) {
      if (key.slot != 0) visit(key);
    }
  }

 private:
  [[nodiscard]] size_t place_of(uint64_t hash) const;
  void grow();
  void close_gap(size_t gap);

  std::vector<Key> keys_;  // a power of two of places
  size_t size_ = 0;
};

}  // namespace partywall::cache
