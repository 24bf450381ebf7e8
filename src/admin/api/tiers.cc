#include "store/control/tiers.h"

#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "tenancy/shipped_tiers.h"
#include "tenancy/terms.h"

// Tiers: named sets of limits.
namespace partywall::admin {
namespace {

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto tiers = store::list_tiers(session);
    if (!tiers) return refuse(tiers.error());
    JsonArray items;
    for (const store::TierRecord& tier : *tiers) items.push_back(to_json(tier));
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

ApiResult<Answer> answer_with(store::Session& session, std::string_view name, uint16_t status) {
  const auto tier = store::find_tier(session, name);
  if (!tier) return refuse(tier.error());
  return Answer{.status = status, .body = to_json_text(to_json(*tier)), .version = tier->version};
}

ApiResult<Answer> show(const Call& call) {
  return read(
      call, [&](store::Session& session) { return answer_with(session, call.parameter(0), 200); });
}

// All of a tier: a limit that is not there is the free tier's.
ApiResult<Tier> read_tier(const Call& call) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  const JsonValue* const limits = reader.any("limits");
  if (!limits) reader.reject("limits", "is missing");
  if (auto done = reader.result(); !done) return refuse(done.error());
  Tier tier = shipped_tiers().front();
  tier.name = call.parameter(0);
  if (auto valid = check_slug(tier.name); !valid) return refuse(valid.error());
  Terms terms = terms_of(tier);
  if (auto set = set_terms(terms, *limits); !set) return refuse(set.error());
  apply(terms, tier);
  return tier;
}

ApiResult<Answer> put(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tier = read_tier(call);
    if (!tier) return refuse(tier.error());
    const auto before = store::find_tier(change, tier->name);
    if (!before && before.error().kind != ErrorKind::kNotFound) return refuse(before.error());
    if (before) {
      if (auto match = check_if_match(call, before->version); !match) return refuse(match.error());
    } else if (call.request.header("If-Match")) {
      return refuse(precondition_failed("There is no such tier yet; send no If-Match to make it."));
    }
    if (auto stored = store::put_tier(change, *tier); !stored) return refuse(stored.error());
    return answer_with(change, tier->name, before ? 200 : 201);
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tier = store::find_tier(change, call.parameter(0));
    if (!tier) return refuse(tier.error());
    if (auto match = check_if_match(call, tier->version); !match) return refuse(match.error());
    const auto removed = store::remove_tier(change, call.parameter(0));
    if (!removed) return refuse(removed.error());
    return Answer{.status = 204};
  });
}

}  // namespace

void add_tier_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tiers",
                       .summary = "All tiers",
                       .access = {Role::kViewer},
                       .handler = answering(list),
                       .response_schema = "TierPage"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tiers/{tier}",
                       .summary = "A tier",
                       .access = {Role::kViewer},
                       .handler = answering(show),
                       .response_schema = "Tier"});
  endpoints.push_back({.method = "PUT",
                       .pattern = "/v1/tiers/{tier}",
                       .summary =
                           "Make a tier (201) or replace it: its tenants have the new limits "
                           "at once",
                       .access = {Role::kOwner},
                       .handler = answering(put),
                       .request_schema = "TierBody",
                       .response_schema = "Tier",
                       .if_match = IfMatch::kRequired});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/tiers/{tier}",
                       .summary = "Remove a tier that no tenant is on",
                       .access = {Role::kOwner},
                       .handler = answering(remove),
                       .success = 204,
                       .if_match = IfMatch::kRequired});
}

}  // namespace partywall::admin
