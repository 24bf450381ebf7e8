#include "base/base64.h"

#include <array>
#include <cstdint>

namespace partywall {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int8_t kForeign = -1;

constexpr std::array<int8_t, 256> make_reverse(std::string_view alphabet) {
  std::array<int8_t, 256> reverse{};
  reverse.fill(kForeign);
  for (size_t i = 0; i < alphabet.size(); ++i) {
    reverse[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return reverse;
}

constexpr std::array<int8_t, 256> kStandardReverse = make_reverse(kStandard);
constexpr std::array<int8_t, 256> kUrlSafeReverse = make_reverse(kUrlSafe);

std::string encode(std::string_view bytes, std::string_view alphabet) {
  const auto byte_at = [bytes](size_t at) -> uint32_t { return static_cast<uint8_t>(bytes[at]); };
  std::string text(bytes.size() / 3 * 4, '\0');
  size_t at = 0;
  for (char* to = text.data(); at + 3 <= bytes.size(); at += 3, to += 4) {
    const uint32_t bits = byte_at(at) << 16 | byte_at(at + 1) << 8 | byte_at(at + 2);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[(bits >> 12) & 0x3F];
    to[2] = alphabet[(bits >> 6) & 0x3F];
    to[3] = alphabet[bits & 0x3F];
  }
  const size_t left = bytes.size() - at;
  if (left == 0) return text;
  const uint32_t bits = byte_at(at) << 16 | (left == 2 ? byte_at(at + 1) << 8 : 0);
  text += alphabet[bits >> 18];
  text += alphabet[(bits >> 12) & 0x3F];
  if (left == 2) text += alphabet[(bits >> 6) & 0x3F];
  return text;
}

Result<std::string> decode(std::string_view text, const std::array<int8_t, 256>& reverse) {
  if (text.size() % 4 == 1)
    return fail(ErrorKind::kInvalid, "base64 text has an impossible length");
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int available = 0;
  for (const char character : text) {
    const int8_t value = reverse[static_cast<uint8_t>(character)];
    if (value == kForeign)
      return fail(ErrorKind::kInvalid, "base64 text has a character outside its alphabet");
    bits = (bits << 6) | static_cast<uint32_t>(value);
    available += 6;
    if (available >= 8) {
      available -= 8;
      bytes += static_cast<char>((bits >> available) & 0xFF);
    }
  }
  if ((bits & ((1U << available) - 1)) != 0) {
    return fail(ErrorKind::kInvalid, "base64 text is not canonical: its last bits are not zero");
  }
  return bytes;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text = encode(bytes, kStandard);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0)
    return fail(ErrorKind::kInvalid, "base64 text is not padded to a multiple of 4");
  if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return decode(text, kStandardReverse);
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, kUrlSafe); }

Result<std::string> base64url_decode(std::string_view text) {
  return decode(text, kUrlSafeReverse);
}

}  // namespace partywall
