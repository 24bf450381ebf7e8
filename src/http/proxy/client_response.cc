#include "http/proxy/client_response.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "http/message/characters.h"

namespace partywall::http {
namespace {

bool passes(FieldKind kind) {
  switch (kind) {
    case FieldKind::kConnection:
    case FieldKind::kContentLength:
    case FieldKind::kHopByHop:
    case FieldKind::kPartywall:  // an application that echoes its request must not leak the context
    case FieldKind::kRequestId:
    case FieldKind::kTransferEncoding:
    case FieldKind::kUpgrade:
      return false;
    default:
      return true;
  }
}

void append_passed_fields(std::string& out, const Fields& fields, bool some_are_nominated) {
  for (const Field& field : fields) {
    if (!passes(field.kind)) continue;
    if (some_are_nominated && is_nominated(fields, field.name)) continue;
    out += field.name;
    out += ": ";
    out += field.value;
    out += "\r\n";
  }
}

void append_status_line(std::string& out, const ResponseHead& head) {
  out += "HTTP/1.1 ";
  out += static_cast<char>('0' + head.status / 100);
  out += static_cast<char>('0' + head.status / 10 % 10);
  out += static_cast<char>('0' + head.status % 10);
  out += ' ';
  out += head.reason;
  out += "\r\n";
}

bool has_field(const Fields& fields, FieldKind kind) {
  return std::ranges::any_of(fields, [&](const Field& field) { return field.kind == kind; });
}

// The length that the answer to HEAD, or a 304, speaks of without having it.
void append_length_without_body(std::string& out, const ClientResponse& response) {
  for (const Field& field : response.head.fields) {
    if (field.kind != FieldKind::kContentLength) continue;
    if (!field.value.empty() && std::ranges::all_of(field.value, is_digit)) {
      fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", field.value);
    }
    return;
  }
}

void append_framing(std::string& out, const ClientResponse& response) {
  const uint16_t status = response.head.status;
  switch (response.framing.kind) {
    case FramingKind::kLength:
      fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n",
                     response.framing.length_bytes);
      break;
    case FramingKind::kChunked:
      out += "Transfer-Encoding: chunked\r\n";
      break;
    case FramingKind::kNone:
      if (response.body == AnswerBody::kOmitted || status == 304) {
        append_length_without_body(out, response);
      } else if (status != 204) {
        out += "Content-Length: 0\r\n";
      }
      break;
    case FramingKind::kUntilClose:
      break;
    case FramingKind::kTunnel:
      out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
      return;
  }
  if (response.persistence == Persistence::kClose) {
    out += "Connection: close\r\n";
  } else if (response.client_version == Version::kHttp10) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace

Framing client_framing(const Framing& upstream, Version client_version) {
  const bool needs_coding =
      upstream.kind == FramingKind::kChunked || upstream.kind == FramingKind::kUntilClose;
  if (!needs_coding) return upstream;
  // RFC 9112 section 6.1: HTTP/1.0 has no chunked coding.
  return {client_version == Version::kHttp11 ? FramingKind::kChunked : FramingKind::kUntilClose, 0};
}

void append_client_response(std::string& out, const ClientResponse& response) {
  append_status_line(out, response.head);
  append_passed_fields(out, response.head.fields, response.control.names_fields);
  if (!has_field(response.head.fields, FieldKind::kDate)) {
    out += "Date: ";
    out += response.extras.date;
    out += "\r\n";
  }
  append_framing(out, response);
  out += response.extras.fields;
  out += "\r\n";
}

void append_interim_response(std::string& out, const ResponseHead& head) {
  append_status_line(out, head);
  append_passed_fields(out, head.fields, true);
  out += "\r\n";
}

}  // namespace partywall::http
