#include "migrate/verify/row_differences.h"

#include <algorithm>
#include <iterator>

namespace partywall::migrate {
namespace {

constexpr size_t kLongestShown = 200;

// Not in the middle of a character of UTF-8.
std::string shortened(std::string_view text) {
  if (text.size() <= kLongestShown) return std::string(text);
  size_t end = kLongestShown;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

using Hashes = std::vector<uint64_t>;

Hashes without(const Hashes& some, const Hashes& others) {
  Hashes rest;
  std::ranges::set_difference(some, others, std::back_inserter(rest));
  return rest;
}

}  // namespace

std::string_view to_string(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kChanged:
      return "changed";
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kExtra:
      return "extra";
    case DifferenceKind::kDoubled:
      return "doubled";
  }
  return "unknown";
}

void KeyedRows::add(std::string_view key, std::string_view shown, uint64_t hash) {
  auto found = by_key_.find(key);
  if (found == by_key_.end())
    found = by_key_.emplace(std::string(key), Rows{.shown = shortened(shown)}).first;
  Hashes& hashes = found->second.hashes;
  hashes.insert(std::ranges::upper_bound(hashes, hash), hash);
}

std::vector<RowDifference> find_row_differences(const KeyedRows& source, const KeyedRows& target) {
  std::vector<RowDifference> found;
  const auto add = [&](DifferenceKind kind, const std::string& row, size_t times) {
    found.insert(found.end(), times, {kind, row});
  };
  for (const auto& [key, rows] : source.by_key_) {
    const auto other = target.by_key_.find(key);
    const Hashes& there = other == target.by_key_.end() ? Hashes() : other->second.hashes;
    const Hashes gone = without(rows.hashes, there);
    const Hashes added = without(there, rows.hashes);
    const size_t changed = std::min(gone.size(), added.size());
    add(DifferenceKind::kChanged, rows.shown, changed);
    add(DifferenceKind::kMissing, rows.shown, gone.size() - changed);
    add(DifferenceKind::kDoubled, rows.shown, added.size() - changed);
  }
  for (const auto& [key, rows] : target.by_key_) {
    if (!source.by_key_.contains(key)) add(DifferenceKind::kExtra, rows.shown, rows.hashes.size());
  }
  return found;
}

}  // namespace partywall::migrate
