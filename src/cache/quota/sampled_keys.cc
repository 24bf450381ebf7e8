#include "cache/quota/sampled_keys.h"

#include <cassert>
#include <utility>

namespace partywall::cache {
namespace {
constexpr size_t kFirstPlaces = 16;
}

uint32_t& SampledKeys::slot_of(uint64_t hash) {
  if (keys_.empty()) grow();
  size_t place = place_of(hash);
  if (keys_[place].slot != 0) return keys_[place].slot;
  if ((size_ + 1) * 4 > keys_.size() * 3) {
    grow();
    place = place_of(hash);
  }
  ++size_;
  keys_[place].hash = hash;
  return keys_[place].slot;
}

SampledKeys::Key SampledKeys::take_greatest() {
  assert(size_ > 0);
  size_t greatest = keys_.size();
  for (size_t place = 0; place < keys_.size(); ++place) {
    if (keys_[place].slot == 0) continue;
    if (greatest == keys_.size() || keys_[place].hash > keys_[greatest].hash) greatest = place;
  }
  const Key taken = std::exchange(keys_[greatest], Key());
  --size_;
  close_gap(greatest);
  return taken;
}

// Where the key is, or the free place where it would be.
size_t SampledKeys::place_of(uint64_t hash) const {
  size_t place = hash & (keys_.size() - 1);
  while (keys_[place].slot != 0 && keys_[place].hash != hash)
    place = (place + 1) & (keys_.size() - 1);
  return place;
}

void SampledKeys::grow() {
  const std::vector<Key> old =
      std::exchange(keys_, std::vector<Key>(keys_.empty() ? kFirstPlaces : keys_.size() * 2));
  for (const Key& key : old) {
    if (key.slot != 0) keys_[place_of(key.hash)] = key;
  }
}

// Those behind it, up to the next free place, may have been put there because of it.
void SampledKeys::close_gap(size_t gap) {
  for (size_t place = (gap + 1) & (keys_.size() - 1); keys_[place].slot != 0;
       place = (place + 1) & (keys_.size() - 1)) {
    const Key key = std::exchange(keys_[place], Key());
    keys_[place_of(key.hash)] = key;
  }
}

}  // namespace partywall::cache
