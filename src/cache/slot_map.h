#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/endpoint.h"

namespace partywall::cache {

// One of the 16,384 parts that Redis Cluster divides keys into.
using HashSlot = uint16_t;
inline constexpr uint32_t kHashSlots = 16'384;

// CRC16 (XMODEM) of the key, or of what is between its first '{' and the next '}' if that is not
// empty. https://redis.io/docs/reference/cluster-spec
HashSlot hash_slot(std::string_view key);

// Which node has which slot.
class SlotMap {
 public:
  // Takes what CLUSTER NODES says. `asked` is where it came from: a node may not know its own
  // address yet. Nothing where a line is not understood, or two nodes have the same slot; slots
  // that nobody has are left out.
  static std::optional<SlotMap> parse(std::string_view text, const Endpoint& asked);

  // nullptr: nobody has it.
  [[nodiscard]] const Endpoint* find(HashSlot slot) const;
  // All of them, replicas and those without slots too.
  [[nodiscard]] const std::vector<Endpoint>& nodes() const { return nodes_; }
  bool operator==(const SlotMap&) const = default;

 private:
  struct Range {
    HashSlot first = 0;
    HashSlot last = 0;
    uint32_t node = 0;
    bool operator==(const Range&) const = default;
  };

  bool add_line(std::string_view line, const Endpoint& asked);

  std::vector<Range> ranges_;  // sorted, none overlaps
  std::vector<Endpoint> nodes_;
};

}  // namespace partywall::cache
