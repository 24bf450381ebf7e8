#include "cache/resp/request_parser.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cache/resp/inline_request.h"
#include "cache/resp/number.h"

namespace partywall::cache {

RequestParser::Status RequestParser::parse(std::string_view buffered, const RequestLimits& limits) {
  consumed_ = 0;
  while (consumed_ < buffered.size()) {
    const std::string_view rest = buffered.substr(consumed_);
    const Status status = rest[0] == '*' ? parse_array(rest, limits) : parse_inline(rest, limits);
    if (status != Status::kRequest) return status;
    consumed_ += std::exchange(scanned_, 0);
    // Empty lines and empty arrays are not requests; Redis passes over them too.
    if (request_.argument_count > 0) return Status::kRequest;
  }
  return Status::kIncomplete;
}

RequestParser::Status RequestParser::parse_array(std::string_view rest,
                                                 const RequestLimits& limits) {
  if (scanned_ == 0) {
    const NumberLine line = read_number_line(rest, 1);
    if (line.status == NumberLine::Status::kIncomplete) return Status::kIncomplete;
    if (line.status == NumberLine::Status::kInvalid || line.value > limits.max_arguments) {
      return invalid("invalid multibulk length");
    }
    count_ = static_cast<uint32_t>(line.value);
    seen_ = 0;
    name_ = first_ = {};
    scanned_ = line.end;
  }
  while (seen_ < count_) {
    const Status status = parse_argument(rest, limits);
    if (status != Status::kRequest) return status;
  }
  finish_array(rest);
  return Status::kRequest;
}

// kRequest: the argument is complete.
RequestParser::Status RequestParser::parse_argument(std::string_view rest,
                                                    const RequestLimits& limits) {
  if (scanned_ == rest.size()) return Status::kIncomplete;
  if (rest[scanned_] != '$') return invalid("expected '$' before an argument");
  const NumberLine line = read_number_line(rest, scanned_ + 1);
  if (line.status == NumberLine::Status::kIncomplete) return Status::kIncomplete;
  if (line.status == NumberLine::Status::kInvalid || line.value > limits.max_argument_bytes) {
    return invalid("invalid bulk length");
  }
  const size_t end = line.end + line.value + 2;
  if (end > limits.max_request_bytes) return invalid("too big request");
  if (rest.size() < end) return Status::kIncomplete;
  if (rest[end - 2] != '\r' || rest[end - 1] != '\n') return invalid("no CRLF behind an argument");
  if (seen_ == 0) name_ = {line.end, line.value};
  if (seen_ == 1) first_ = {line.end, line.value};
  ++seen_;
  scanned_ = end;
  return Status::kRequest;
}

std::optional<RequestParser::Head> RequestParser::head(std::string_view rest, size_t above) const {
  const uint32_t known = std::min(count_, 2U);
  if (scanned_ == 0 || rest[0] != '*' || rest.size() <= above || seen_ < known) return std::nullopt;
  return Head{.request = {.bytes = rest.substr(0, scanned_),
                          .argument_count = count_,
                          .name = rest.substr(name_.begin, name_.length),
                          .first = rest.substr(first_.begin, first_.length),
                          .form = RequestForm::kArray},
              .arguments_left = count_ - seen_};
}

void RequestParser::finish_array(std::string_view rest) {
  request_ = {.bytes = rest.substr(0, scanned_),
              .argument_count = count_,
              .name = rest.substr(name_.begin, name_.length),
              .first = rest.substr(first_.begin, first_.length),
              .form = RequestForm::kArray};
}

RequestParser::Status RequestParser::parse_inline(std::string_view rest,
                                                  const RequestLimits& limits) {
  const size_t newline = rest.find('\n', scanned_);
  if (newline == std::string_view::npos) {
    if (rest.size() > limits.max_inline_bytes) return invalid("too big inline request");
    scanned_ = rest.size();
    return Status::kIncomplete;
  }
  if (newline > limits.max_inline_bytes) return invalid("too big inline request");
  std::string_view line = rest.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::optional<uint32_t> count = inline_to_array(line, inline_form_);
  if (!count) return invalid("unbalanced quotes in request");
  // The array form goes through the same checks as one that came over the wire.
  scanned_ = 0;
  if (*count > limits.max_arguments) return invalid("invalid multibulk length");
  request_ = {};
  if (*count > 0) {
    const Status status = parse_array(inline_form_, limits);
    if (status == Status::kInvalid) return status;
    assert(status == Status::kRequest);
    request_.form = RequestForm::kInline;
  }
  scanned_ = newline + 1;
  return Status::kRequest;
}

RequestParser::Status RequestParser::invalid(std::string text) {
  problem_ = std::move(text);
  return Status::kInvalid;
}

ArgumentCursor::ArgumentCursor(const Request& request) : left_(request.argument_count) {
  rest_ = request.bytes.substr(read_number_line(request.bytes, 1).end);
}

std::optional<std::string_view> ArgumentCursor::next() {
  if (left_ == 0) return std::nullopt;
  const NumberLine line = read_number_line(rest_, 1);
  const std::string_view argument = rest_.substr(line.end, line.value);
  rest_.remove_prefix(line.end + line.value + 2);
  --left_;
  return argument;
}

}  // namespace partywall::cache
