#include "admin/api/endpoint.h"

namespace partywall::admin {

const ApiEndpoints& all_endpoints() {
  static const ApiEndpoints kAll = [] {
    ApiEndpoints all;
    add_tenant_endpoints(all);
    add_tenant_state_endpoints(all);
    add_tenant_limit_endpoints(all);
    add_tenant_login_endpoints(all);
    add_tenant_move_endpoints(all);
    add_context_endpoints(all);
    add_tier_endpoints(all);
    add_cell_endpoints(all);
    add_route_endpoints(all);
    add_operation_endpoints(all);
    add_event_endpoints(all);
    add_node_endpoints(all);
    add_token_endpoints(all);
    add_usage_endpoints(all);
    add_webhook_endpoints(all);
    add_apply_endpoints(all);
    return all;
  }();
  return kAll;
}

}  // namespace partywall::admin
