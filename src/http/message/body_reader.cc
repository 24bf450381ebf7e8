#include "http/message/body_reader.h"

#include <algorithm>

namespace partywall::http {

BodyReader::BodyReader(const Framing& framing, const ChunkedLimits& limits)
    : kind_(framing.kind),
      complete_(framing.kind == FramingKind::kNone),
      left_(framing.length_bytes),
      chunked_(limits) {}

BodyStep BodyReader::read(std::string_view bytes) {
  if (complete_) return {.status = ParseStatus::kComplete};
  switch (kind_) {
    case FramingKind::kNone:
      return {.status = ParseStatus::kComplete};
    case FramingKind::kLength: {
      const auto count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      left_ -= count;
      complete_ = left_ == 0;
      return {.status = complete_ ? ParseStatus::kComplete : ParseStatus::kNeedMore,
              .consumed = count,
              .data = bytes.substr(0, count)};
    }
    case FramingKind::kChunked: {
      const BodyStep step = chunked_.decode(bytes);
      complete_ = step.status == ParseStatus::kComplete;
      return step;
    }
    case FramingKind::kUntilClose:
    case FramingKind::kTunnel:
      return {.consumed = bytes.size(), .data = bytes};
  }
  return {.status = ParseStatus::kInvalid};
}

bool BodyReader::end() {
  if (kind_ == FramingKind::kUntilClose || kind_ == FramingKind::kTunnel) complete_ = true;
  return complete_;
}

}  // namespace partywall::http
