#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace partywall::sql {

// Integers in network order from the front of `bytes`, which must be long enough.
constexpr uint16_t load_u16(std::string_view bytes) {
  return static_cast<uint16_t>((uint8_t(bytes[0]) << 8) | uint8_t(bytes[1]));
}
constexpr uint32_t load_u32(std::string_view bytes) {
  return (uint32_t{uint8_t(bytes[0])} << 24) | (uint32_t{uint8_t(bytes[1])} << 16) |
         (uint32_t{uint8_t(bytes[2])} << 8) | uint32_t{uint8_t(bytes[3])};
}

// Reads the fields of one message body. A field that is not there makes the reader fail for good:
// check ok() once, at the end. The strings point into the body.
class FieldReader {
 public:
  explicit FieldReader(std::string_view body) : rest_(body) {}

  uint8_t u8() { return has(1) ? static_cast<uint8_t>(take(1)[0]) : uint8_t{0}; }
  uint16_t u16() { return has(2) ? load_u16(take(2)) : uint16_t{0}; }
  uint32_t u32() { return has(4) ? load_u32(take(4)) : 0; }
  std::string_view bytes(size_t count) { return has(count) ? take(count) : std::string_view(); }
  // Up to the zero byte, which is taken too.
  std::string_view c_string() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      failed_ = true;
      return {};
    }
    const std::string_view text = take(end);
    rest_.remove_prefix(1);
    return text;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] bool ok_and_at_end() const { return !failed_ && rest_.empty(); }

 private:
  bool has(size_t count) {
    if (failed_ || rest_.size() < count) failed_ = true;
    return !failed_;
  }
  std::string_view take(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace partywall::sql
