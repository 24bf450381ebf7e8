#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partywall::cache {

// Which names were written down not long ago, as far as there is room: so that a key that is
// written again and again is written down once. Names are hashes that nobody outside can aim at.
class RecentNames {
 public:
  // Was it there already? It is now, in the place of another one.
  bool add(uint64_t hash) {
    if (slots_.empty()) slots_.resize(kSlots);
    uint64_t& slot = slots_[hash % kSlots];
    const bool there = slot == hash;
    slot = hash;
    return there;
  }

 private:
  static constexpr size_t kSlots = 1UL << 16;

  std::vector<uint64_t> slots_;
};

}  // namespace partywall::cache
