#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace partywall {

// SipHash-2-4 (Aumasson and Bernstein, 2012): whoever does not know the key cannot make texts that
// collide, so it may count or sample what tenants have named.
class KeyedHash {
 public:
  explicit KeyedHash(std::array<uint64_t, 2> key) : key_(key) {}
  explicit KeyedHash(Random& random) : key_{random.next_u64(), random.next_u64()} {}

  [[nodiscard]] uint64_t operator()(std::string_view text) const;

 private:
  std::array<uint64_t, 2> key_;
};

}  // namespace partywall
