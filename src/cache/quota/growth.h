#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cache/commands/command_rule.h"
#include "cache/resp/request_parser.h"

namespace partywall::cache {

// By how much requests may add, at most, to what their tenant keeps.
struct Growth {
  uint64_t keys = 0;
  uint64_t bytes = 0;
  // There is no such bound: it is a script, or makes one key of others. The numbers are only what
  // is assumed, so that it is looked at again sooner or later.
  bool unsure = false;

  Growth& operator+=(const Growth& other) {
    keys += other.keys;
    bytes += other.bytes;
    unsure = unsure || other.unsure;
    return *this;
  }
  [[nodiscard]] bool none() const { return keys == 0 && bytes == 0 && !unsure; }
  bool operator==(const Growth&) const = default;
};

// `arguments_there`: so many of the request's arguments have arrived; of the others the caller
// knows the bytes.
Growth growth_of(const Request& request, const CommandRule& rule, uint32_t arguments_there);

// What Redis's allocator makes of so many bytes, at most: its sizes are up to a quarter apart.
constexpr uint64_t allocated(uint64_t bytes) { return bytes + bytes / 4; }

// The keys that the request may make, where they can be told: all of them there already means that
// it makes none. Empty: they cannot be told.
std::vector<std::string_view> keys_it_may_make(const Request& request, const CommandRule& rule);

// Is it for the quota to refuse it? What hands entries to consumers is counted, and goes on.
constexpr bool is_refused_at_quota(CommandGrowth growth) {
  return growth != CommandGrowth::kNone && growth != CommandGrowth::kPending;
}

}  // namespace partywall::cache
