#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/tenants.h"
#include "tenancy/terms.h"

// Single limits of a tenant that differ from its tier's, perhaps for a time only.
namespace partywall::admin {
namespace {

ApiResult<Answer> answer_with(store::Session& session, TenantId id) {
  const auto stored = store::find_tenant(session, id);
  if (!stored) return refuse(stored.error());
  const auto tiers = load_tiers(session);
  if (!tiers) return refuse(tiers.error());
  return Answer{.body = to_json_text(to_json(*stored, *tiers)), .version = stored->version};
}

ApiResult<store::TermOverride> read_override(const Call& call) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  store::TermOverride made{.term = call.parameter(1),
                           .value = JsonValue(),
                           .expires_at = reader.time("expires_at"),
                           .reason = reader.text("reason", 500).value_or("")};
  if (const JsonValue* const value = reader.any("value")) {
    made.value = *value;
  } else {
    reader.reject("value", "is missing");
  }
  if (auto done = reader.result(); !done) return refuse(done.error());
  Terms terms;
  if (auto set = set_term(terms, made.term, made.value); !set) return refuse(set.error());
  if (made.expires_at && *made.expires_at <= call.time.wall())
    return refuse(Error{ErrorKind::kInvalid, "expires_at is in the past"});
  return made;
}

ApiResult<Answer> put(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    if (auto match = check_if_match_given(call, tenant->version); !match)
      return refuse(match.error());
    const auto made = read_override(call);
    if (!made) return refuse(made.error());
    if (auto set = store::set_override(change, tenant->id, *made); !set) return refuse(set.error());
    return answer_with(change, tenant->id);
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    if (auto match = check_if_match_given(call, tenant->version); !match)
      return refuse(match.error());
    const auto removed = store::remove_override(change, tenant->id, call.parameter(1));
    if (!removed) return refuse(removed.error());
    return answer_with(change, tenant->id);
  });
}

}  // namespace

void add_tenant_limit_endpoints(ApiEndpoints& endpoints) {
  constexpr std::string_view kPattern = "/v1/tenants/{tenant}/limits/{limit}";
  endpoints.push_back({.method = "PUT",
                       .pattern = kPattern,
                       .summary = "Override one limit of the tier for this tenant",
                       .access = {Role::kOperator},
                       .handler = answering(put),
                       .request_schema = "Override",
                       .response_schema = "Tenant",
                       .if_match = IfMatch::kOptional});
  endpoints.push_back({.method = "DELETE",
                       .pattern = kPattern,
                       .summary = "End an override: the tier's limit counts again",
                       .access = {Role::kOperator},
                       .handler = answering(remove),
                       .response_schema = "Tenant",
                       .if_match = IfMatch::kOptional});
}

}  // namespace partywall::admin
