#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace partywall::http {

// The header fields that the door treats in a way of its own.
enum class FieldKind : uint8_t {
  kOther,
  kAuthorization,
  kConnection,
  kContentLength,
  kDate,
  kExpect,
  kForwarded,  // Forwarded, X-Forwarded-*, X-Real-IP: who the client is, said by a proxy
  kHopByHop,   // Keep-Alive, Proxy-Connection, Proxy-Auth*, TE, Trailer, HTTP2-Settings
  kHost,
  kPartywall,  // X-Partywall-*: between doors and applications only
  kRequestId,  // X-Request-Id
  kTenant,     // X-Tenant-*: what the door says to applications
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVia,
};

// Finds the kind of a field name. Families that an application trusts (tenant, partywall,
// forwarded, request id) are recognised in every spelling that some server folds into the same
// variable: CGI, WSGI and Rack turn '-' into '_', others turn every character that is no letter or
// digit into '_'.
FieldKind kind_of_field(std::string_view name);

struct Field {
  std::string_view name;
  std::string_view value;  // without the blanks around it
  FieldKind kind = FieldKind::kOther;
};

using Fields = std::vector<Field>;

// Calls `visit` with each element of a comma-separated list (RFC 9110 section 5.6.1), without the
// blanks around it; empty elements are passed over. Not for values with quoted strings.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) {
      element.remove_prefix(1);
    }
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) {
      element.remove_suffix(1);
    }
    if (!element.empty()) visit(element);
  }
}

}  // namespace partywall::http
