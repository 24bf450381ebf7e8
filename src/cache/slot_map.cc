#include "cache/slot_map.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace partywall::cache {
namespace {

constexpr std::array<uint16_t, 256> make_crc_table() {
  constexpr uint16_t kPolynomial = 0x1021;
  std::array<uint16_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000) != 0 ? (crc << 1) ^ kPolynomial : crc << 1;
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}

constexpr std::array<uint16_t, 256> kCrcTable = make_crc_table();

uint16_t crc16(std::string_view bytes) {
  uint16_t crc = 0;
  for (const char c : bytes) {
    const auto index = static_cast<uint8_t>((crc >> 8) ^ static_cast<uint8_t>(c));
    crc = static_cast<uint16_t>((crc << 8) ^ kCrcTable[index]);
  }
  return crc;
}

// "10.0.0.1:6379@16379,name"; the address may be empty, and is one of IPv6 without brackets.
std::optional<Endpoint> node_of(std::string_view text, const Endpoint& asked) {
  text = text.substr(0, text.find('@'));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_integer<uint16_t>(text.substr(colon + 1), 1);
  const std::string_view address = text.substr(0, colon);
  if (!port || (!address.empty() && !check_ip_address(address))) return std::nullopt;
  return Endpoint{address.empty() ? asked.address : std::string(address), *port};
}

}  // namespace

HashSlot hash_slot(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1)
      key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % kHashSlots;
}

std::optional<SlotMap> SlotMap::parse(std::string_view text, const Endpoint& asked) {
  SlotMap map;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty() && !map.add_line(line, asked)) return std::nullopt;
  }
  std::ranges::sort(map.ranges_, {}, &Range::first);
  for (size_t i = 1; i < map.ranges_.size(); ++i) {
    if (map.ranges_[i].first <= map.ranges_[i - 1].last) return std::nullopt;
  }
  return map;
}

// <id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slot> <first>-<last> [<moving>] …
bool SlotMap::add_line(std::string_view line, const Endpoint& asked) {
  constexpr size_t kFirstSlot = 8;
  const auto words = split(line, ' ');
  if (words.size() < kFirstSlot) return false;
  // Has no address (any more), or is not a member yet.
  if (words[2].contains("noaddr") || words[2].contains("handshake")) return true;
  const auto node = node_of(words[1], asked);
  if (!node) return false;
  nodes_.push_back(*node);
  for (size_t i = kFirstSlot; i < words.size(); ++i) {
    if (words[i].starts_with('[')) continue;  // moves from here, or to here
    const auto ends = split(words[i], '-');
    const auto first = parse_integer<HashSlot>(ends.front(), 0, kHashSlots - 1);
    const auto last = parse_integer<HashSlot>(ends.back(), 0, kHashSlots - 1);
    if (!first || !last || *first > *last || ends.size() > 2) return false;
    ranges_.push_back({*first, *last, static_cast<uint32_t>(nodes_.size() - 1)});
  }
  return true;
}

const Endpoint* SlotMap::find(HashSlot slot) const {
  const auto after = std::ranges::upper_bound(ranges_, slot, {}, &Range::first);
  if (after == ranges_.begin()) return nullptr;
  const Range& range = *std::prev(after);
  return slot <= range.last ? &nodes_[range.node] : nullptr;
}

}  // namespace partywall::cache
