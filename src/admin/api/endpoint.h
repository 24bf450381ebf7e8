#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api/call.h"
#include "admin/api/role.h"
#include "admin/router.h"

// The admin API is a table of endpoints: what each is called by, what it does, who may call it and
// what it answers. Routing, authorisation, docs/reference/openapi.json and the authorisation test
// all come from it, so none of them can forget one.
namespace partywall::admin {

enum class IfMatch : uint8_t { kIgnored, kOptional, kRequired };

struct ApiEndpoint {
  std::string_view method;
  std::string_view pattern;
  std::string_view summary;
  Access access;
  std::function<ApiResult<Response>(const Call&)> handler;
  std::vector<std::string_view> query{};  // parameters that it takes
  std::string_view request_schema{};      // of openapi_schemas.h; empty: no body
  std::string_view response_schema{};     // empty: no body
  std::string_view response_type = "application/json";
  uint16_t success = 200;
  IfMatch if_match = IfMatch::kIgnored;
  size_t max_body_bytes = kUsualBodyBytes;
};

using ApiEndpoints = std::vector<ApiEndpoint>;

// A handler that gives an Answer, as a handler of the table.
template <class Handler>
auto answering(Handler handler) {
  return [handler](const Call& call) -> ApiResult<Response> {
    auto answer = handler(call);
    if (!answer) return refuse(answer.error());
    return to_response(*std::move(answer));
  };
}

// One file a resource.
void add_tenant_endpoints(ApiEndpoints& endpoints);
void add_tenant_state_endpoints(ApiEndpoints& endpoints);
void add_tenant_limit_endpoints(ApiEndpoints& endpoints);
void add_tenant_login_endpoints(ApiEndpoints& endpoints);
void add_tenant_move_endpoints(ApiEndpoints& endpoints);
void add_context_endpoints(ApiEndpoints& endpoints);
void add_tier_endpoints(ApiEndpoints& endpoints);
void add_cell_endpoints(ApiEndpoints& endpoints);
void add_route_endpoints(ApiEndpoints& endpoints);
void add_operation_endpoints(ApiEndpoints& endpoints);
void add_event_endpoints(ApiEndpoints& endpoints);
void add_node_endpoints(ApiEndpoints& endpoints);
void add_token_endpoints(ApiEndpoints& endpoints);
void add_usage_endpoints(ApiEndpoints& endpoints);
void add_webhook_endpoints(ApiEndpoints& endpoints);
void add_apply_endpoints(ApiEndpoints& endpoints);

const ApiEndpoints& all_endpoints();

}  // namespace partywall::admin
