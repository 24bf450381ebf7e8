#include "http/message/framing.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "http/message/characters.h"

namespace partywall::http {
namespace {

// RFC 9110 section 8.6: digits and nothing else.
std::optional<uint64_t> parse_length(std::string_view text) {
  constexpr size_t kMostDigits = 19;  // any such number fits
  if (text.empty() || text.size() > kMostDigits || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  uint64_t length = 0;
  for (const char c : text) length = length * 10 + static_cast<uint64_t>(c - '0');
  return length;
}

// What the Connection fields of a message say (RFC 9110 section 7.6.1).
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool nominates = false;

  void add(std::string_view value) {
    for_each_element(value, [this](std::string_view option) {
      if (equal_ignoring_case(option, "close")) {
        close = true;
      } else if (equal_ignoring_case(option, "keep-alive")) {
        keep_alive = true;
      } else if (equal_ignoring_case(option, "upgrade")) {
        upgrade = true;
      } else {
        nominates = true;
      }
    });
  }

  [[nodiscard]] bool persistent(Version version) const {
    return !close && (version == Version::kHttp11 || keep_alive);
  }
};

// The fields that delimit a body, counted: more than one of a kind is suspicious.
struct FramingFields {
  size_t lengths = 0;
  size_t encodings = 0;
  std::string_view length;
  std::string_view encoding;
  bool lengths_differ = false;

  void add(const Field& field) {
    if (field.kind == FieldKind::kContentLength) {
      lengths_differ |= lengths > 0 && field.value != length;
      length = field.value;
      ++lengths;
    } else if (field.kind == FieldKind::kTransferEncoding) {
      encoding = field.value;
      ++encodings;
    }
  }
};

// Only "chunked", once, in HTTP/1.1, and never beside Content-Length: RFC 9112 section 6.1 lets us
// repair some of these, but the next server may repair them differently.
ParseOutcome check_encoding(const FramingFields& fields, Version version) {
  if (fields.lengths > 0)
    return ParseOutcome::invalid("Transfer-Encoding and Content-Length exclude each other");
  if (version == Version::kHttp10)
    return ParseOutcome::invalid("Transfer-Encoding is not part of HTTP/1.0");
  if (fields.encodings > 1)
    return ParseOutcome::invalid("Transfer-Encoding is there more than once");
  if (equal_ignoring_case(fields.encoding, "chunked")) return ParseOutcome::complete();
  const bool ends_chunked =
      fields.encoding.size() > 7 &&
      equal_ignoring_case(fields.encoding.substr(fields.encoding.size() - 7), "chunked");
  return ends_chunked ? ParseOutcome::invalid("no transfer coding but chunked is understood", 501)
                      : ParseOutcome::invalid("the transfer coding does not end with chunked");
}

// RFC 9112 section 6.3 for requests.
ParseOutcome read_request_framing(const FramingFields& fields, Version version, Framing& framing) {
  framing = {};
  if (fields.encodings > 0) {
    framing.kind = FramingKind::kChunked;
    return check_encoding(fields, version);
  }
  if (fields.lengths == 0) return ParseOutcome::complete();
  if (fields.lengths > 1) return ParseOutcome::invalid("Content-Length is there more than once");
  const auto length = parse_length(fields.length);
  if (!length) return ParseOutcome::invalid("Content-Length is not a number");
  if (*length > 0) framing = {FramingKind::kLength, *length};
  return ParseOutcome::complete();
}

// RFC 9112 section 3.2: exactly one, and well-formed; it may be empty.
ParseOutcome check_host(size_t count, const RequestHead& head, RequestControl& control) {
  if (count > 1) return ParseOutcome::invalid("Host is there more than once");
  if (count == 0 && head.version == Version::kHttp11)
    return ParseOutcome::invalid("Host is missing");
  if (control.host.contains('@') || !is_host(control.host))
    return ParseOutcome::invalid("Host is malformed");
  return ParseOutcome::complete();
}

// RFC 9110 section 10.1.1.
ParseOutcome read_expectation(std::string_view value, Version version, RequestControl& control) {
  if (!equal_ignoring_case(value, "100-continue")) {
    return ParseOutcome::invalid("this expectation cannot be met", 417);
  }
  control.expects_continue = version == Version::kHttp11;
  return ParseOutcome::complete();
}

bool lists_websocket(std::string_view upgrade) {
  // "websocket" alone: a choice of protocols would have to be followed by the exchange.
  return equal_ignoring_case(upgrade, "websocket");
}

}  // namespace

ParseOutcome read_request_control(const RequestHead& head, std::string_view authority,
                                  RequestControl& control) {
  control = {};
  FramingFields framing;
  ConnectionOptions connection;
  size_t hosts = 0;
  bool websocket = false;
  for (const Field& field : head.fields) {
    switch (field.kind) {
      case FieldKind::kContentLength:
      case FieldKind::kTransferEncoding:
        framing.add(field);
        break;
      case FieldKind::kConnection:
        connection.add(field.value);
        break;
      case FieldKind::kUpgrade:
        websocket |= lists_websocket(field.value);
        break;
      case FieldKind::kHost:
        ++hosts;
        control.host = field.value;
        break;
      case FieldKind::kExpect:
        if (const auto read = read_expectation(field.value, head.version, control);
            read.status == ParseStatus::kInvalid) {
          return read;
        }
        break;
      default:
        break;
    }
  }
  if (const auto host = check_host(hosts, head, control); host.status == ParseStatus::kInvalid) {
    return host;
  }
  if (!authority.empty()) control.host = authority;
  control.keep_alive = connection.persistent(head.version);
  control.names_fields = connection.nominates;
  const auto read = read_request_framing(framing, head.version, control.framing);
  control.wants_websocket = websocket && connection.upgrade && head.version == Version::kHttp11 &&
                            head.method == "GET" && control.framing.kind == FramingKind::kNone;
  return read;
}

namespace {

bool has_no_body(uint16_t status, std::string_view method) {
  return status < 200 || status == 204 || status == 304 || method == "HEAD";
}

// RFC 9112 section 6.3 for responses.
ParseOutcome read_response_framing(const FramingFields& fields, const ResponseHead& head,
                                   std::string_view method, Framing& framing) {
  framing = {};
  if (has_no_body(head.status, method)) return ParseOutcome::complete();
  if (fields.encodings > 0) {
    framing.kind = FramingKind::kChunked;
    return check_encoding(fields, head.version);
  }
  if (fields.lengths == 0) {
    framing.kind = FramingKind::kUntilClose;
    return ParseOutcome::complete();
  }
  if (fields.lengths_differ)
    return ParseOutcome::invalid("Content-Length is there twice, with two values");
  const auto length = parse_length(fields.length);
  if (!length) return ParseOutcome::invalid("Content-Length is not a number");
  if (*length > 0) framing = {FramingKind::kLength, *length};
  return ParseOutcome::complete();
}

}  // namespace

ParseOutcome read_response_control(const ResponseHead& head, std::string_view method,
                                   ResponseControl& control) {
  control = {};
  FramingFields framing;
  ConnectionOptions connection;
  bool websocket = false;
  for (const Field& field : head.fields) {
    switch (field.kind) {
      case FieldKind::kContentLength:
      case FieldKind::kTransferEncoding:
        framing.add(field);
        break;
      case FieldKind::kConnection:
        connection.add(field.value);
        break;
      case FieldKind::kUpgrade:
        websocket |= lists_websocket(field.value);
        break;
      default:
        break;
    }
  }
  control.names_fields = connection.nominates;
  control.switches_to_websocket = head.status == 101 && websocket && connection.upgrade;
  const auto read = read_response_framing(framing, head, method, control.framing);
  control.keep_alive =
      connection.persistent(head.version) && control.framing.kind != FramingKind::kUntilClose;
  return read;
}

bool is_nominated(const Fields& fields, std::string_view name) {
  bool nominated = false;
  for (const Field& field : fields) {
    if (field.kind != FieldKind::kConnection) continue;
    for_each_element(field.value, [&](std::string_view option) {
      nominated |= equal_ignoring_case(option, name);
    });
  }
  return nominated;
}

}  // namespace partywall::http
