#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace partywall::cache {

// The answer to SCAN: where to go on (0: nowhere), and the keys that were found.
struct ScanReply {
  uint64_t cursor = 0;
  std::vector<std::string_view> keys;  // of the reply's bytes, with the tenant's prefix
};

// Nothing when it is something else, or names a key that does not begin with the prefix.
std::optional<ScanReply> read_scan_reply(std::string_view reply, std::string_view prefix);

}  // namespace partywall::cache
