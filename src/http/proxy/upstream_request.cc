#include "http/proxy/upstream_request.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/decimal.h"
#include "http/message/characters.h"

namespace partywall::http {
namespace {

constexpr std::string_view kVia = "1.1 partywall";

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool passes(const UpstreamRequest& request, const Field& field) {
  switch (field.kind) {
    case FieldKind::kAuthorization:
      return request.authorization == AuthorizationPolicy::kForward;
    case FieldKind::kOther:
    case FieldKind::kDate:
    case FieldKind::kUserAgent:
    case FieldKind::kVia:
      return true;
    default:
      return false;
  }
}

void append_passed_fields(std::string& out, const UpstreamRequest& request) {
  for (const Field& field : request.head.fields) {
    if (!passes(request, field)) continue;
    if (request.control.names_fields && is_nominated(request.head.fields, field.name)) continue;
    append_field(out, field.name, field.value);
  }
}

void append_framing(std::string& out, const RequestControl& control) {
  switch (control.framing.kind) {
    case FramingKind::kLength:
      out += "Content-Length: ";
      append_decimal(out, control.framing.length_bytes);
      out += "\r\n";
      break;
    case FramingKind::kChunked:
      out += "Transfer-Encoding: chunked\r\n";
      break;
    default:
      break;
  }
  if (control.expects_continue) out += "Expect: 100-continue\r\n";
  if (control.wants_websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
}

// What a trusted proxy said before, joined to one list that our own element continues.
void append_earlier(std::string& out, const UpstreamRequest& request, std::string_view name) {
  if (request.origin.trust != PeerTrust::kTrustedProxy) return;
  for (const Field& field : request.head.fields) {
    if (field.kind != FieldKind::kForwarded || !equal_ignoring_case(field.name, name)) continue;
    out += field.value;
    out += ", ";
  }
}

std::string_view earlier_value(const UpstreamRequest& request, std::string_view name) {
  if (request.origin.trust != PeerTrust::kTrustedProxy) return {};
  const auto found = std::ranges::find_if(request.head.fields, [&](const Field& field) {
    return field.kind == FieldKind::kForwarded && equal_ignoring_case(field.name, name);
  });
  return found == request.head.fields.end() ? std::string_view() : found->value;
}

// RFC 7239 section 4: a value that is no token is quoted. A Host has neither quotes nor
// backslashes.
void append_forwarded_value(std::string& out, std::string_view value) {
  if (is_token(value)) {
    out += value;
    return;
  }
  out += '"';
  out += value;
  out += '"';
}

void append_origin(std::string& out, const UpstreamRequest& request) {
  const ClientOrigin& origin = request.origin;
  out += "Forwarded: ";
  append_earlier(out, request, "forwarded");
  out += "for=";
  out += origin.forwarded_for;
  if (!request.control.host.empty()) {
    out += ";host=";
    append_forwarded_value(out, request.control.host);
  }
  out += ";proto=";
  out += origin.scheme;
  out += "\r\nX-Forwarded-For: ";
  append_earlier(out, request, "x-forwarded-for");
  out += origin.address;
  out += "\r\n";
  const std::string_view host = earlier_value(request, "x-forwarded-host");
  append_field(out, "X-Forwarded-Host", host.empty() ? request.control.host : host);
  const std::string_view scheme = earlier_value(request, "x-forwarded-proto");
  append_field(out, "X-Forwarded-Proto", scheme.empty() ? origin.scheme : scheme);
}

void append_tenant(std::string& out, const TenantFields& tenant) {
  append_field(out, "X-Tenant-Id", tenant.id);
  append_field(out, "X-Tenant-Slug", tenant.slug);
  append_field(out, "X-Tenant-Tier", tenant.tier);
  append_field(out, "X-Partywall-Context", tenant.context);
}

}  // namespace

void append_upstream_request(std::string& out, const UpstreamRequest& request) {
  out += request.head.method;
  out += ' ';
  out += request.target.path_and_query;
  out += " HTTP/1.1\r\n";
  append_field(out, "Host", request.control.host);
  append_passed_fields(out, request);
  append_framing(out, request.control);
  append_field(out, "Via", kVia);  // RFC 9110 section 7.6.3
  append_origin(out, request);
  append_field(out, "X-Request-Id", request.request_id);
  if (request.tenant) append_tenant(out, *request.tenant);
  out += "\r\n";
}

bool is_plain_trailer(const Field& field) {
  constexpr std::array kForbidden = {std::string_view("cookie"),
                                     std::string_view("set-cookie"),
                                     std::string_view("cache-control"),
                                     std::string_view("content-encoding"),
                                     std::string_view("content-type"),
                                     std::string_view("content-range"),
                                     std::string_view("content-location"),
                                     std::string_view("location"),
                                     std::string_view("range"),
                                     std::string_view("vary"),
                                     std::string_view("www-authenticate"),
                                     std::string_view("age"),
                                     std::string_view("expires"),
                                     std::string_view("max-forwards"),
                                     std::string_view("pragma"),
                                     std::string_view("retry-after")};
  return field.kind == FieldKind::kOther &&
         std::ranges::none_of(kForbidden, [&](std::string_view name) {
           return equal_ignoring_case(name, field.name);
         });
}

void append_plain_trailers(std::string& out, const Fields& trailers) {
  for (const Field& field : trailers) {
    if (is_plain_trailer(field)) append_field(out, field.name, field.value);
  }
}

}  // namespace partywall::http
