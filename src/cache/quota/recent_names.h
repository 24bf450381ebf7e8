#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace partywall::cache {

// Which names were written down not long ago, as far as there is room: so that a key that is
// written again and again is written down once. Names are hashes that nobody outside can aim at.
class RecentNames {
 public:
  // Was it there already? It is now, in the place of the one in its set that came first.
  bool add(uint64_t hash) {
    if (sets_.empty()) sets_.resize(kSets);
    Set& set = sets_[hash % kSets];
    if (std::ranges::find(set, hash) != set.end()) return true;
    std::shift_right(set.begin(), set.end(), 1);
    set.front() = hash;
    return false;
  }

 private:
  static constexpr size_t kSets = 1UL << 14;
  // With one place for each hash a seventh of ten thousand names would push each other out.
  using Set = std::array<uint64_t, 4>;

  std::vector<Set> sets_;
};

}  // namespace partywall::cache
