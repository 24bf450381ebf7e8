#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/head.h"

namespace partywall::http {

struct ChunkedLimits {
  size_t max_size_line_bytes = 256;        // a chunk's size and its extensions
  size_t max_extension_bytes = 16 * 1024;  // of all chunks together; they are dropped
  HeadLimits trailers{.max_bytes = 8 * 1024, .max_fields = 32};
};

// What one step over the bytes of a body gave: `consumed` bytes are done with, `data` (a view into
// them) is the body's. Call again with what is left while it makes progress.
struct BodyStep {
  ParseStatus status = ParseStatus::kNeedMore;  // kComplete: the body has ended
  size_t consumed = 0;
  std::string_view data;
  std::string_view fault;  // kInvalid
};

// Decodes the chunked transfer coding (RFC 9112 section 7.1) strictly: no blanks around sizes, CRLF
// only. Data is not copied; only a trailer section that comes in pieces is kept until it is whole.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const ChunkedLimits& limits = {}) : limits_(limits) {}

  BodyStep decode(std::string_view bytes);

  // The fields after the last chunk, once complete.
  [[nodiscard]] const Fields& trailers() const { return trailers_; }

 private:
  enum class State : uint8_t { kSize, kExtension, kSizeEnd, kData, kDataCr, kDataLf, kTrailers };

  BodyStep fail(std::string_view why) const;
  bool take_size_byte(char c);
  BodyStep decode_size(std::string_view bytes);
  BodyStep decode_data(std::string_view bytes);
  BodyStep decode_data_end(std::string_view bytes);
  BodyStep decode_trailers(std::string_view bytes);

  ChunkedLimits limits_;
  State state_ = State::kSize;
  bool has_digit_ = false;
  size_t line_bytes_ = 0;
  size_t extension_bytes_ = 0;
  uint64_t left_ = 0;  // of the chunk
  std::string_view fault_;
  std::string trailer_bytes_;
  Fields trailers_;
};

// Writing it.
void append_chunk(std::string& out, std::string_view data);  // nothing for empty data
// `trailers` are whole lines with their CRLF, or empty.
void append_last_chunk(std::string& out, std::string_view trailers = {});

}  // namespace partywall::http
