#pragma once

#include <cstdint>

namespace partywall::migrate {

// What is noted of rows that were moved: how many, and the sum of the XXH3 hashes of their images.
// Does not depend on their order, so that parts may be added up.
struct RowSum {
  uint64_t rows = 0;
  uint64_t hash = 0;  // modulo 2^64

  void add(const RowSum& other) {
    rows += other.rows;
    hash += other.hash;
  }
  auto operator<=>(const RowSum&) const = default;
};

}  // namespace partywall::migrate
