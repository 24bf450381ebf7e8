#pragma once

#include "http/message/chunked.h"
#include "http/message/framing.h"

namespace partywall::http {

// Finds the body of one message in the bytes that follow its head, by any framing.
class BodyReader {
 public:
  BodyReader() = default;  // no body: complete from the start
  explicit BodyReader(const Framing& framing, const ChunkedLimits& limits = {});

  // Call it until it makes no progress or the body is complete. Data is a view into `bytes`.
  BodyStep read(std::string_view bytes);
  // The sender will send no more. True: the body is complete by that.
  bool end();

  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] FramingKind kind() const { return kind_; }
  [[nodiscard]] const Fields& trailers() const { return chunked_.trailers(); }

 private:
  FramingKind kind_ = FramingKind::kNone;
  bool complete_ = true;
  uint64_t left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace partywall::http
