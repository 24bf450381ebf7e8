#include "base/uuid.h"

#include "base/hex.h"
#include "base/random.h"

namespace partywall {
namespace {

constexpr size_t kTextLength = 36;

constexpr bool is_dash_position(size_t index) {
  return index == 8 || index == 13 || index == 18 || index == 23;
}

uint64_t read_big_endian(const uint8_t* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = (value << 8) | bytes[i];
  return value;
}

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
  auto invalid = [] {
    return fail(ErrorKind::kInvalid,
                "not a UUID: expected the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
  };
  if (text.size() != kTextLength) return invalid();
  std::array<uint8_t, 16> bytes{};
  size_t digits = 0;
  for (size_t i = 0; i < kTextLength; ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-') return invalid();
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return invalid();
    bytes[digits / 2] = static_cast<uint8_t>((bytes[digits / 2] << 4) | value);
    ++digits;
  }
  return Uuid(bytes);
}

Uuid Uuid::random(Random& random) {
  std::array<uint8_t, 16> bytes{};
  random.fill(bytes);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);  // version 4
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);  // variant
  return Uuid(bytes);
}

Uuid Uuid::from_halves(uint64_t high, uint64_t low) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<uint8_t>(low >> (56 - 8 * i));
  }
  return Uuid(bytes);
}

std::string Uuid::to_string() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kTextLength, '-');
  char* to = text.data();
  for (size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++to;
    *to++ = kDigits[bytes_[i] >> 4];
    *to++ = kDigits[bytes_[i] & 0x0F];
  }
  return text;
}

uint64_t Uuid::high() const { return read_big_endian(bytes_.data()); }
uint64_t Uuid::low() const { return read_big_endian(bytes_.data() + 8); }

}  // namespace partywall
