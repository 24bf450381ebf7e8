#include "cache/quota/growth.h"

#include <algorithm>
#include <charconv>

#include "cache/prefix/key_walk.h"

namespace partywall::cache {
namespace {

// What Redis needs beside the bytes of a value: entries of tables, headers, nodes of skip lists.
constexpr uint64_t kBytesForEachArgument = 64;
constexpr uint64_t kAssumedBytes = 64UL << 10;    // of what nobody knows before
constexpr uint64_t kAssumedKeys = 16;             // the same, of a script beside those it names
constexpr uint64_t kLongestString = 512UL << 20;  // Redis refuses longer ones
constexpr uint64_t kBitsInAByte = 8;

// Argument `index` as a number; 0 where it is none, for Redis refuses that.
uint64_t number_at(const Request& request, uint32_t index, uint32_t arguments_there) {
  if (arguments_there <= index) return 0;
  ArgumentCursor cursor(request);
  for (uint32_t i = 0; i < index; ++i) cursor.next();
  const std::string_view text = *cursor.next();
  uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() ? value : 0;
}

// Without a destination they only read.
bool has_destination(const Request& request, const CommandRule& rule) {
  if (rule.keys.form != KeyLayout::Form::kSort && rule.keys.form != KeyLayout::Form::kGeoRadius)
    return true;
  KeyWalk walk(rule.keys, request.argument_count);
  ArgumentCursor cursor(request);
  uint32_t keys = 0;
  while (const auto argument = cursor.next()) {
    if (walk.next(*argument) == ArgumentRole::kKey) ++keys;
  }
  return keys > 1;
}

// MSET and MSETNX: keys and values in turn.
bool makes_pairs(const CommandRule& rule) {
  return rule.keys.form == KeyLayout::Form::kRange && rule.keys.step == 2;
}

}  // namespace

Growth growth_of(const Request& request, const CommandRule& rule, uint32_t arguments_there) {
  const uint64_t held =
      allocated(request.bytes.size() + kBytesForEachArgument * uint64_t{request.argument_count});
  switch (rule.growth) {
    case CommandGrowth::kNone:
      break;
    case CommandGrowth::kArguments:
      return {.keys = makes_pairs(rule) ? std::max(1U, request.argument_count / 2) : 1U,
              .bytes = held};
    case CommandGrowth::kOffset: {
      const uint64_t offset = number_at(request, 2, arguments_there);
      const uint64_t length = rule.name == "setbit" ? offset / kBitsInAByte : offset;
      return {.keys = 1, .bytes = held + allocated(std::min(length, kLongestString))};
    }
    case CommandGrowth::kDerived:
      if (arguments_there == request.argument_count && !has_destination(request, rule)) break;
      return {.keys = 1, .bytes = held + kAssumedBytes, .unsure = true};
    case CommandGrowth::kPending:
      return {.keys = 0, .bytes = held};
    case CommandGrowth::kScript: {
      const uint64_t named =
          std::min<uint64_t>(number_at(request, 2, arguments_there), request.argument_count);
      return {.keys = named + kAssumedKeys, .bytes = held + kAssumedBytes, .unsure = true};
    }
  }
  return {};
}

std::vector<std::string_view> keys_it_may_make(const Request& request, const CommandRule& rule) {
  const bool known =
      rule.growth == CommandGrowth::kArguments || rule.growth == CommandGrowth::kOffset;
  if (!known) return {};
  std::vector<std::string_view> keys;
  KeyWalk walk(rule.keys, request.argument_count);
  ArgumentCursor cursor(request);
  while (const auto argument = cursor.next()) {
    if (walk.next(*argument) == ArgumentRole::kKey) keys.push_back(*argument);
  }
  return keys;
}

}  // namespace partywall::cache
