#include "cache/resp/request_stream.h"

#include <algorithm>

#include "cache/resp/number.h"

namespace partywall::cache {

RequestStream::Step RequestStream::feed(std::string_view bytes, const RequestLimits& limits) {
  size_t at = 0;
  while (arguments_left_ > 0 && at < bytes.size()) {
    const size_t before = at;
    const bool valid = inside_ ? pass_argument(bytes, at) : begin_argument(bytes, at, limits);
    if (!valid) return {Status::kInvalid, before};
    if (at == before) break;
  }
  return {arguments_left_ == 0 ? Status::kDone : Status::kIncomplete, at};
}

bool RequestStream::begin_argument(std::string_view bytes, size_t& at,
                                   const RequestLimits& limits) {
  const auto invalid = [&](std::string_view problem) {
    problem_ = problem;
    return false;
  };
  if (bytes[at] != '$') return invalid("expected '$' before an argument");
  const NumberLine line = read_number_line(bytes, at + 1);
  if (line.status == NumberLine::Status::kIncomplete) return true;
  if (line.status == NumberLine::Status::kInvalid || line.value > limits.max_argument_bytes)
    return invalid("invalid bulk length");
  total_ += line.end - at + line.value + 2;
  if (total_ > limits.max_request_bytes) return invalid("too big request");
  at = line.end;
  inside_ = true;
  value_left_ = line.value;
  end_left_ = 2;
  return true;
}

bool RequestStream::pass_argument(std::string_view bytes, size_t& at) {
  const size_t part = std::min(value_left_, bytes.size() - at);
  value_left_ -= part;
  at += part;
  while (value_left_ == 0 && end_left_ > 0 && at < bytes.size()) {
    if (bytes[at] != (end_left_ == 2 ? '\r' : '\n')) {
      problem_ = "no CRLF behind an argument";
      return false;
    }
    ++at;
    --end_left_;
  }
  if (value_left_ == 0 && end_left_ == 0) {
    inside_ = false;
    --arguments_left_;
  }
  return true;
}

}  // namespace partywall::cache
