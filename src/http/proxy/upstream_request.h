#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/framing.h"
#include "http/message/head.h"
#include "http/message/target.h"
#include "http/proxy/client_origin.h"

namespace partywall::http {

// Does the client's Authorization field reach the application?
enum class AuthorizationPolicy : uint8_t { kForward, kStrip };

// What the application is told about the tenant of a request, in the door's own words.
struct TenantFields {
  std::string_view id;
  std::string_view slug;
  std::string_view tier;
  std::string_view context;  // the context token
};

struct UpstreamRequest {
  const RequestHead& head;
  const Target& target;
  const RequestControl& control;
  const ClientOrigin& origin;
  std::string_view request_id;
  const TenantFields* tenant = nullptr;  // nullptr: the route needs none
  AuthorizationPolicy authorization = AuthorizationPolicy::kForward;
};

// Writes the head that the application gets. Built anew from what was understood: canonical
// framing, no hop-by-hop field, and of the fields that applications trust only the door's own.
void append_upstream_request(std::string& out, const UpstreamRequest& request);

// May a trailer field be passed on? Not one that would mean something as a header (RFC 9110 section
// 6.5.1).
[[nodiscard]] bool is_plain_trailer(const Field& field);
void append_plain_trailers(std::string& out, const Fields& trailers);

}  // namespace partywall::http
