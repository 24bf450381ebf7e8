#include "migrate/verify/table_digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace partywall::migrate {
namespace {

// The finalizer of MurmurHash3: every bit depends on every bit.
uint64_t mix(uint64_t hash) {
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

}  // namespace

uint64_t image_hash(std::string_view image) { return XXH3_64bits(image.data(), image.size()); }

void Digest::add_row(uint64_t hash) {
  ++rows;
  sum += hash;
  mixed ^= mix(hash);
}

void Digest::add(const Digest& other) {
  rows += other.rows;
  sum += other.sum;
  mixed ^= other.mixed;
}

Digest TableDigest::total() const {
  Digest total;
  for (const Digest& bucket : buckets_) total.add(bucket);
  return total;
}

std::vector<size_t> TableDigest::differing(const TableDigest& other) const {
  std::vector<size_t> numbers;
  for (size_t i = 0; i < kBuckets; ++i) {
    if (buckets_[i] != other.buckets_[i]) numbers.push_back(i);
  }
  return numbers;
}

}  // namespace partywall::migrate
