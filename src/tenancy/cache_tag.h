#pragma once

#include <cstdint>
#include <string>

// In prefix mode each key of a tenant begins with its tag, and Redis compares and keeps all of it:
// so the tags that are given out are short.
namespace partywall {

// So many different ones there are.
inline constexpr uint32_t kShortCacheTags = 1U << 25;

// The tag with that number, below kShortCacheTags: five letters and digits, each number another
// one. What a tenant sees of its own (in KEYS of a script) does not say how many there are before
// it, and tags that are given out one after the other look different to people.
std::string short_cache_tag(uint32_t number);

}  // namespace partywall
