#include "http/message/head.h"

#include <cstring>

#include "http/message/characters.h"

namespace partywall::http {
namespace {

constexpr ParseOutcome kTooLarge =
    ParseOutcome::invalid("the header section is larger than allowed", 431);

// Cuts the next line, which must end with CRLF, off the bytes. kComplete: `line` is without it.
class LineReader {
 public:
  LineReader(std::string_view bytes, size_t max_bytes) : bytes_(bytes), max_bytes_(max_bytes) {}

  ParseOutcome next(std::string_view& line) {
    const std::string_view rest = bytes_.substr(position_);
    const void* found = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    if (!found) return bytes_.size() > max_bytes_ ? kTooLarge : ParseOutcome::need_more();
    const size_t length = static_cast<size_t>(static_cast<const char*>(found) - rest.data());
    if (position_ + length + 1 > max_bytes_) return kTooLarge;
    // RFC 9112 section 2.2 lets a recipient take a bare LF; what others in the path take as the end
    // of a line must never be in doubt, so we do not.
    if (length == 0 || rest[length - 1] != '\r')
      return ParseOutcome::invalid("a line ends without CR");
    line = rest.substr(0, length - 1);
    position_ += length + 1;
    return ParseOutcome::complete();
  }

  [[nodiscard]] size_t position() const { return position_; }

 private:
  std::string_view bytes_;
  size_t max_bytes_;
  size_t position_ = 0;
};

ParseOutcome parse_field_line(std::string_view line, Field& field) {
  size_t colon = 0;
  while (colon < line.size() && is_token_character(line[colon])) ++colon;
  if (colon == line.size()) return ParseOutcome::invalid("a header line has no colon");
  if (line[colon] != ':') {
    if (colon == 0 && (line[0] == ' ' || line[0] == '\t')) {
      return ParseOutcome::invalid("a header line is folded");  // RFC 9112 section 5.2
    }
    const bool blank = line[colon] == ' ' || line[colon] == '\t';
    // RFC 9112 section 5.1: a blank before the colon is refused, because it has been used to make
    // two servers see different fields.
    return ParseOutcome::invalid(blank ? "there is a blank in or after a header name"
                                       : "a header name has an illegal character");
  }
  if (colon == 0) return ParseOutcome::invalid("a header line has no name");
  field.name = line.substr(0, colon);
  field.value = trim(line.substr(colon + 1));
  if (!is_field_value(field.value))
    return ParseOutcome::invalid("a header value has an illegal character");
  field.kind = kind_of_field(field.name);
  return ParseOutcome::complete();
}

ParseOutcome parse_fields(LineReader& lines, const HeadLimits& limits, Fields& fields) {
  fields.clear();
  while (true) {
    std::string_view line;
    if (const auto cut = lines.next(line); cut.status != ParseStatus::kComplete) return cut;
    if (line.empty()) return ParseOutcome::complete();
    if (fields.size() == limits.max_fields)
      return ParseOutcome::invalid("there are too many headers", 431);
    Field field;
    if (const auto parsed = parse_field_line(line, field);
        parsed.status != ParseStatus::kComplete) {
      return parsed;
    }
    fields.push_back(field);
  }
}

ParseOutcome parse_version(std::string_view text, Version& version) {
  if (text == "HTTP/1.1") {
    version = Version::kHttp11;
  } else if (text == "HTTP/1.0") {
    version = Version::kHttp10;
  } else if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
             is_digit(text[7])) {
    // RFC 9110 section 2.5: a higher minor version is understood as the highest we know.
    if (text[5] != '1')
      return ParseOutcome::invalid("only HTTP/1.1 and HTTP/1.0 are spoken here", 505);
    version = Version::kHttp11;
  } else {
    return ParseOutcome::invalid("the HTTP version is malformed");
  }
  return ParseOutcome::complete();
}

// RFC 9112 section 3: exactly one blank between the three parts, none around them.
ParseOutcome parse_request_line(std::string_view line, const HeadLimits& limits,
                                RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos)
    return ParseOutcome::invalid("the request line is malformed");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, second - first - 1);
  if (!is_token(head.method)) return ParseOutcome::invalid("the method is malformed");
  if (head.target.size() > limits.max_target_bytes) {
    return ParseOutcome::invalid("the request target is longer than allowed", 414);
  }
  if (!is_target(head.target))
    return ParseOutcome::invalid("the request target has an illegal character");
  return parse_version(line.substr(second + 1), head.version);
}

// Without a whole line there is still something to see: what no request begins with (a TLS hello,
// say) is refused at once instead of after the time-out.
ParseOutcome check_first_bytes(std::string_view bytes) {
  if (!bytes.empty() && !is_token_character(bytes.front())) {
    return ParseOutcome::invalid("this is not an HTTP request");
  }
  return ParseOutcome::need_more();
}

}  // namespace

ParseOutcome parse_request_head(std::string_view bytes, const HeadLimits& limits,
                                RequestHead& head) {
  // RFC 9112 section 2.2: an empty line before the request is passed over; one is enough for the
  // old clients that send it.
  const size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  const std::string_view from_line = bytes.substr(skipped);
  if (from_line.empty() || bytes == "\r") return ParseOutcome::need_more();
  if (const auto first = check_first_bytes(from_line); first.status == ParseStatus::kInvalid) {
    return first;
  }
  LineReader lines(from_line, limits.max_bytes);
  std::string_view line;
  if (const auto cut = lines.next(line); cut.status != ParseStatus::kComplete) {
    const bool long_target = cut.fault.status == 431 && from_line.find('\n') == std::string::npos;
    return long_target ? ParseOutcome::invalid("the request target is longer than allowed", 414)
                       : cut;
  }
  if (const auto parsed = parse_request_line(line, limits, head);
      parsed.status != ParseStatus::kComplete) {
    return parsed;
  }
  if (const auto parsed = parse_fields(lines, limits, head.fields);
      parsed.status != ParseStatus::kComplete) {
    return parsed;
  }
  head.size_bytes = skipped + lines.position();
  return ParseOutcome::complete();
}

namespace {

// RFC 9112 section 4. Many servers leave out the blank before an empty reason; that is harmless.
ParseOutcome parse_status_line(std::string_view line, ResponseHead& head) {
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
    return ParseOutcome::invalid("the status line is malformed");
  }
  if (const auto parsed = parse_version(line.substr(0, 8), head.version);
      parsed.status != ParseStatus::kComplete) {
    return parsed;
  }
  head.status = 0;
  for (const char c : line.substr(9, 3)) {
    if (!is_digit(c)) return ParseOutcome::invalid("the status code is malformed");
    head.status = static_cast<uint16_t>(head.status * 10 + (c - '0'));
  }
  if (head.status < 100 || head.status > 599)
    return ParseOutcome::invalid("the status code is out of range");
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!is_field_value(head.reason))
    return ParseOutcome::invalid("the reason phrase has an illegal character");
  return ParseOutcome::complete();
}

}  // namespace

ParseOutcome parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                 ResponseHead& head) {
  if (!bytes.empty() && bytes.front() != 'H')
    return ParseOutcome::invalid("this is not an HTTP response");
  LineReader lines(bytes, limits.max_bytes);
  std::string_view line;
  if (const auto cut = lines.next(line); cut.status != ParseStatus::kComplete) return cut;
  if (const auto parsed = parse_status_line(line, head); parsed.status != ParseStatus::kComplete) {
    return parsed;
  }
  if (const auto parsed = parse_fields(lines, limits, head.fields);
      parsed.status != ParseStatus::kComplete) {
    return parsed;
  }
  head.size_bytes = lines.position();
  return ParseOutcome::complete();
}

ParseOutcome parse_trailers(std::string_view bytes, const HeadLimits& limits, Fields& fields,
                            size_t& size_bytes) {
  LineReader lines(bytes, limits.max_bytes);
  const auto parsed = parse_fields(lines, limits, fields);
  size_bytes = lines.position();
  return parsed;
}

}  // namespace partywall::http
