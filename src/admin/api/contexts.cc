#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "identity/context_token.h"
#include "store/control/access.h"

// Context tokens for jobs that have no request: a service account asks for one for each run.
namespace partywall::admin {
namespace {

ApiResult<Audience> parse_audience(const std::string& text) {
  if (text == "sql") return Audience::kSql;
  if (text == "cache") return Audience::kCache;
  if (text == "any") return Audience::kAny;
  return refuse(invalid_body("audience must be sql, cache or any"));
}

std::string context_json(const std::string* token, WallTime expires_at) {
  return to_json_text(JsonValue(JsonObject{{"context", token ? JsonValue(*token) : JsonValue()},
                                           {"expires_at", JsonValue(format_rfc3339(expires_at))}}));
}

ApiResult<Answer> create(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    const auto body = parse_optional_body(call.request);
    if (!body) return refuse(body.error());
    JsonReader reader(*body);
    const std::string audience_name = reader.text("audience").value_or("any");
    const int64_t lifetime =
        reader
            .number("ttl_seconds", 1,
                    std::chrono::duration_cast<seconds>(kMaxContextLifetime).count())
            .value_or(60);
    if (auto done = reader.result(); !done) return refuse(done.error());
    const auto audience = parse_audience(audience_name);
    if (!audience) return refuse(audience.error());
    if (!is_served(tenant->status)) {
      return refuse(conflict(
          fmt::format("Tenant {} is {} and not served.", tenant->slug, to_string(tenant->status))));
    }
    const auto records = store::list_context_keys(change);
    if (!records) return refuse(records.error());
    std::vector<ContextKey> keys;
    for (const store::ContextKeyRecord& record : *records) keys.push_back(record.key);
    const WallTime issued_at = std::chrono::floor<seconds>(call.time.wall());
    const WallTime expires_at = issued_at + seconds(lifetime);
    const Uuid request_id = Uuid::random(call.random);
    const auto token = mint_context({.tenant = tenant->id,
                                     .audience = *audience,
                                     .issued_at = issued_at,
                                     .expires_at = expires_at,
                                     .request_id = request_id},
                                    keys);
    if (!token) return refuse(token.error());
    auto noted =
        change.note("tenant.context_minted", tenant->id.value(), tenant->slug,
                    JsonValue(JsonObject{{"audience", JsonValue(audience_name)},
                                         {"ttl_seconds", JsonValue(lifetime)},
                                         {"request_id", JsonValue(request_id.to_string())}}));
    if (!noted) return refuse(noted.error());
    return Answer{.status = 201,
                  .body = context_json(&*token, expires_at),
                  .replay = context_json(nullptr, expires_at)};
  });
}

}  // namespace

void add_context_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/tenants/{tenant}/contexts",
                       .summary = "Mint a context token for a job of the tenant",
                       .access = {Role::kOperator, TenantAdmins::kOwnTenant},
                       .handler = answering(create),
                       .request_schema = "NewContext",
                       .response_schema = "Context",
                       .success = 201});
}

}  // namespace partywall::admin
