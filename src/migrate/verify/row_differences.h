#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// From the rows of two tables, by their keys, to what differs: pure.
namespace partywall::migrate {

enum class DifferenceKind : uint8_t {
  kChanged,  // the key is in both, the row is not the same
  kMissing,  // not in the target
  kExtra,    // not in the source
  kDoubled,  // more often in the target than in the source
};

[[nodiscard]] std::string_view to_string(DifferenceKind kind);

struct RowDifference {
  DifferenceKind kind = DifferenceKind::kChanged;
  std::string row;  // its key, or the whole row where it has none, as PostgreSQL shows a record

  auto operator<=>(const RowDifference&) const = default;
};

// Of one side: what is in the buckets that differ.
class KeyedRows {
 public:
  // `key`: its image; `shown`: for people.
  void add(std::string_view key, std::string_view shown, uint64_t hash);

 private:
  struct Rows {
    std::string shown;
    std::vector<uint64_t> hashes;  // in order
  };
  friend std::vector<RowDifference> find_row_differences(const KeyedRows&, const KeyedRows&);

  std::map<std::string, Rows, std::less<>> by_key_;
};

// By key; one for each row that is too many or too few.
[[nodiscard]] std::vector<RowDifference> find_row_differences(const KeyedRows& source,
                                                              const KeyedRows& target);

}  // namespace partywall::migrate
