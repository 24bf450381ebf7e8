#include "cache/prefix/key_walk.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"

namespace partywall::cache {
namespace {

bool is_one_of(std::string_view option, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view name) { return equal_ignoring_case(option, name); });
}

std::optional<uint32_t> parse_count(std::string_view text) {
  uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ArgumentRole KeyWalk::next(std::string_view argument) {
  ArgumentRole role = ArgumentRole::kOther;
  if (following_ > 0) {
    --following_;
    role = role_;
  } else if (at_ > 0 && !ended_) {
    switch (layout_.form) {
      case KeyLayout::Form::kNone:
        break;
      case KeyLayout::Form::kRange:
        role = in_range();
        break;
      case KeyLayout::Form::kCounted:
        role = counted(argument);
        break;
      case KeyLayout::Form::kSort:
      case KeyLayout::Form::kGeoRadius:
      case KeyLayout::Form::kStreams:
        role = option(argument);
        break;
    }
  }
  ++at_;
  return role;
}

bool KeyWalk::no_more_keys() const {
  if (following_ > 0) return role_ == ArgumentRole::kOther && following_ >= count_ - at_;
  if (layout_.form == KeyLayout::Form::kNone || ended_) return true;
  return layout_.form == KeyLayout::Form::kRange && layout_.last >= 0 &&
         at_ > static_cast<uint32_t>(layout_.last);
}

ArgumentRole KeyWalk::in_range() const {
  const int64_t last =
      layout_.last >= 0 ? layout_.last : static_cast<int64_t>(count_) + layout_.last;
  const bool inside = at_ >= layout_.first && at_ <= last;
  return inside && (at_ - layout_.first) % layout_.step == 0 ? ArgumentRole::kKey
                                                             : ArgumentRole::kOther;
}

ArgumentRole KeyWalk::counted(std::string_view argument) {
  if (at_ < layout_.first) {
    const bool destination =
        at_ == 1 && layout_.destination == KeyLayout::Destination::kFirstArgument;
    return destination ? ArgumentRole::kKey : ArgumentRole::kOther;
  }
  ended_ = true;
  const auto keys = parse_count(argument);
  if (!keys || *keys > left()) return not_understood();
  return following(*keys, ArgumentRole::kKey);
}

ArgumentRole KeyWalk::option(std::string_view argument) {
  if (layout_.form == KeyLayout::Form::kStreams) return streams_option(argument);
  if (at_ == 1) return ArgumentRole::kKey;
  if (at_ < layout_.first) return ArgumentRole::kOther;
  return layout_.form == KeyLayout::Form::kSort ? sort_option(argument) : geo_option(argument);
}

ArgumentRole KeyWalk::sort_option(std::string_view option) {
  if (is_one_of(option, {"asc", "desc", "alpha"})) return ArgumentRole::kOther;
  if (is_one_of(option, {"limit"}) && left() >= 2) return following(2, ArgumentRole::kOther);
  if (is_one_of(option, {"store"}) && left() >= 1) return following(1, ArgumentRole::kKey);
  if (is_one_of(option, {"by", "get"}) && left() >= 1)
    return following(1, ArgumentRole::kKeyPattern);
  return not_understood();
}

ArgumentRole KeyWalk::geo_option(std::string_view option) {
  if (is_one_of(option, {"withdist", "withhash", "withcoord", "any", "asc", "desc"}))
    return ArgumentRole::kOther;
  if (is_one_of(option, {"count"}) && left() >= 1) return following(1, ArgumentRole::kOther);
  if (is_one_of(option, {"store", "storedist"}) && left() >= 1)
    return following(1, ArgumentRole::kKey);
  return not_understood();
}

ArgumentRole KeyWalk::streams_option(std::string_view option) {
  if (is_one_of(option, {"block", "count"}) && left() >= 1)
    return following(1, ArgumentRole::kOther);
  if (is_one_of(option, {"group"}) && left() >= 2) return following(2, ArgumentRole::kOther);
  if (is_one_of(option, {"noack"})) return ArgumentRole::kOther;
  if (!is_one_of(option, {"streams"}) || left() % 2 != 0) return not_understood();
  ended_ = true;
  return following(left() / 2, ArgumentRole::kKey);
}

// The current argument itself is none of them.
ArgumentRole KeyWalk::following(uint32_t arguments, ArgumentRole role) {
  following_ = arguments;
  role_ = role;
  return ArgumentRole::kOther;
}

ArgumentRole KeyWalk::not_understood() { return following(left(), ArgumentRole::kKey); }

}  // namespace partywall::cache
