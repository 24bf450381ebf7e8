#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/placing.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"

// Moving a tenant to another cell. Only one without data goes at once; the others need the
// migration engine, and are refused until it is there.
namespace partywall::admin {
namespace {

bool may_have_data(const store::TenantRecord& tenant) {
  return tenant.status != TenantStatus::kRequested;
}

ApiResult<Answer> move(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    if (auto match = check_if_match_given(call, tenant->version); !match)
      return refuse(match.error());
    const auto body = parse_body(call.request);
    if (!body) return refuse(body.error());
    JsonReader reader(*body);
    const PlacementWish wish = read_wish(reader, tenant->region);
    CacheWish cache_wish = read_cache_wish(reader);
    if (auto done = reader.result(); !done) return refuse(done.error());
    const bool is_there = tenant->placement && tenant->placement->cell == wish.cell;
    if (!is_there) {
      auto placer = Placer::load(change, call.settings.cache_databases);
      if (!placer) return refuse(placer.error());
      const auto tier = store::find_tier(change, tenant->tier);
      if (!tier) return refuse(tier.error());
      cache_wish.databases = databases_of(tier->tier, tenant->overrides);
      const auto placement = placer->place(change, wish, cache_wish);
      if (!placement) return refuse(placement.error());
      if (may_have_data(*tenant)) {
        return refuse(conflict(fmt::format(
            "Tenant {} may have data in cell {}: only a tenant that is not provisioned yet can be "
            "placed elsewhere; cell {} could take it.",
            tenant->slug, tenant->placement ? tenant->placement->cell : "-", placement->cell)));
      }
      auto set = store::set_placement(change, tenant->id, *placement, std::nullopt);
      if (!set) return refuse(set.error());
    }
    const auto stored = store::find_tenant(change, tenant->id);
    if (!stored) return refuse(stored.error());
    const auto tiers = load_tiers(change);
    if (!tiers) return refuse(tiers.error());
    return Answer{.body = to_json_text(to_json(*stored, *tiers)), .version = stored->version};
  });
}

}  // namespace

void add_tenant_move_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/tenants/{tenant}/move",
                       .summary = "Place the tenant in another cell, within its region",
                       .access = {Role::kOperator},
                       .handler = answering(move),
                       .request_schema = "Move",
                       .response_schema = "Tenant",
                       .if_match = IfMatch::kOptional});
}

}  // namespace partywall::admin
