#include "base/keyed_hash.h"

#include <bit>
#include <cstring>

namespace partywall {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

// Little-endian, as the definition of the function has it; so are the machines this runs on.
static_assert(std::endian::native == std::endian::little);
uint64_t load(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The bytes behind the last whole word.
uint64_t load_rest(std::string_view text) {
  const size_t count = text.size() % sizeof(uint64_t);
  if (count == 0) return 0;
  // The last word's worth without what has been taken: no copy of a length that varies.
  if (text.size() >= sizeof(uint64_t))
    return load(text.data() + text.size() - sizeof(uint64_t)) >> (64 - 8 * count);
  uint64_t word = 0;
  std::memcpy(&word, text.data(), count);
  return word;
}

}  // namespace

uint64_t KeyedHash::operator()(std::string_view text) const {
  State state{key_[0] ^ 0x736f6d6570736575, key_[1] ^ 0x646f72616e646f6d,
              key_[0] ^ 0x6c7967656e657261, key_[1] ^ 0x7465646279746573};
  const uint64_t length = uint64_t{text.size()} << 56;
  const char* const words_end = text.data() + text.size() / sizeof(uint64_t) * sizeof(uint64_t);
  for (const char* at = text.data(); at != words_end; at += sizeof(uint64_t)) state.take(load(at));
  state.take(load_rest(text) | length);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace partywall
