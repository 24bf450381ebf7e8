#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/ascii.h"

// The character classes of HTTP/1.1 and what is done with them. All constexpr tables: a header is
// walked once, with one look-up a byte.
namespace partywall::http {

namespace internal {

enum CharacterClass : uint8_t {
  kToken = 1,       // tchar, RFC 9110 section 5.6.2
  kFieldValue = 2,  // VCHAR, SP, HTAB, obs-text, RFC 9110 section 5.5
  kTarget = 4,      // what may be in a request-target
  kHost = 8,        // what may be in a Host field: uri-host and port, RFC 3986 section 3.2.2
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  const auto add = [&](std::string_view characters, uint8_t what) {
    for (const char c : characters) classes[static_cast<uint8_t>(c)] |= what;
  };
  constexpr std::string_view kAlphanumeric =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(kAlphanumeric, kToken | kHost);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~%!$&'()*+,;=:[]", kHost);
  for (size_t c = 0x20; c < 0x100; ++c) {
    if (c != 0x7F) classes[c] |= kFieldValue;
  }
  classes['\t'] |= kFieldValue;
  // Browsers send some characters that RFC 3986 does not have ("|", "^", "{"…) as they are: they
  // are harmless. A fragment, quotes and angle brackets are never sent by anything well-meaning.
  for (size_t c = 0x21; c < 0x7F; ++c) classes[c] |= kTarget;
  for (const char c : {'#', '"', '<', '>'}) {
    classes[static_cast<uint8_t>(c)] &= static_cast<uint8_t>(~kTarget);
  }
  return classes;
}

inline constexpr std::array<uint8_t, 256> kClasses = make_classes();

// Is one of the eight bytes below 0x20, or 0x7F? (The tab is one, too, though it is allowed.)
constexpr bool has_control_character(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  const uint64_t below_blank = (word - 0x20 * kOnes) & ~word;
  const uint64_t without_delete = word ^ 0x7F * kOnes;
  const uint64_t is_delete = (without_delete - kOnes) & ~without_delete;
  return ((below_blank | is_delete) & kHighBits) != 0;
}

constexpr bool all_of_class(std::string_view text, CharacterClass what) {
  return std::ranges::all_of(text,
                             [&](char c) { return kClasses[static_cast<uint8_t>(c)] & what; });
}

}  // namespace internal

constexpr bool is_token_character(char c) {
  return internal::kClasses[static_cast<uint8_t>(c)] & internal::kToken;
}
constexpr bool is_token(std::string_view text) {
  return !text.empty() && internal::all_of_class(text, internal::kToken);
}
// Values are most of a head (a token alone has hundreds of bytes): eight bytes a step, as long as
// none of them is a control character.
constexpr bool is_field_value(std::string_view text) {
  if (!std::is_constant_evaluated()) {
    while (text.size() >= 8) {
      uint64_t word = 0;
      std::memcpy(&word, text.data(), sizeof word);
      if (internal::has_control_character(word)) break;
      text.remove_prefix(8);
    }
  }
  return internal::all_of_class(text, internal::kFieldValue);
}
constexpr bool is_target(std::string_view text) {
  return !text.empty() && internal::all_of_class(text, internal::kTarget);
}
constexpr bool is_host(std::string_view text) {
  return internal::all_of_class(text, internal::kHost);
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Without leading and trailing OWS (RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace partywall::http
