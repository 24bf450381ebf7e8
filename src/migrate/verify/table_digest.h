#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

// What two tables are compared by, without sorting either.
namespace partywall::migrate {

// Of a set of rows, in any order. A row that is there twice changes the number and the sum, though
// not the exclusive or; two changes that leave the sum the same change that.
struct Digest {
  uint64_t rows = 0;
  uint64_t sum = 0;    // of the XXH3 hashes of the rows, modulo 2^64
  uint64_t mixed = 0;  // exclusive or of the hashes, each mixed once more

  void add_row(uint64_t hash);
  void add(const Digest& other);
  auto operator<=>(const Digest&) const = default;
};

// XXH3, 64 bits.
[[nodiscard]] uint64_t image_hash(std::string_view image);

// Rows by a hash of their keys, so that what differs is found in a small part of the table.
class TableDigest {
 public:
  static constexpr size_t kBuckets = 4096;

  [[nodiscard]] static size_t bucket_of(std::string_view key) { return image_hash(key) % kBuckets; }
  void add_row(size_t bucket, uint64_t hash) { buckets_[bucket].add_row(hash); }

  [[nodiscard]] const Digest& bucket(size_t number) const { return buckets_[number]; }
  [[nodiscard]] Digest total() const;
  // The numbers of buckets that are not the same.
  [[nodiscard]] std::vector<size_t> differing(const TableDigest& other) const;

 private:
  std::vector<Digest> buckets_ = std::vector<Digest>(kBuckets);
};

}  // namespace partywall::migrate
