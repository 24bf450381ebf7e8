#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// Writes requests and replies into a string.
namespace partywall::cache {

enum class Protocol : uint8_t { kResp2 = 2, kResp3 = 3 };

void append_array_header(std::string& out, size_t count);
// In RESP2 a map is an array of twice the length.
void append_map_header(std::string& out, Protocol protocol, size_t pairs);
void append_bulk(std::string& out, std::string_view text);
// The line before a bulk string of so many bytes.
class BulkHeader {
 public:
  explicit BulkHeader(size_t length);
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_{'$'};
  size_t size_ = 0;
};
void append_bulk_header(std::string& out, size_t length);
// One bulk string of two parts.
void append_prefixed_bulk(std::string& out, std::string_view prefix, std::string_view text);
void append_simple(std::string& out, std::string_view text);  // "+OK"
void append_integer(std::string& out, int64_t value);
void append_null(std::string& out, Protocol protocol);
// `text` begins with its code ("ERR …"). CR and LF in it become spaces, because part of it may have
// come from the client.
void append_error(std::string& out, std::string_view text);
std::string make_error(std::string_view text);

// A request of these words.
std::string make_request(std::initializer_list<std::string_view> words);

}  // namespace partywall::cache
