#include "admin/api/authenticator.h"
#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/tenants.h"

// Admin tokens, and who one is.
namespace partywall::admin {
namespace {

ApiResult<Answer> whoami(const Call& call) {
  const Principal& principal = call.principal;
  return Answer{.body = to_json_text(JsonValue(JsonObject{
                    {"id", JsonValue(principal.id)},
                    {"name", JsonValue(principal.name)},
                    {"role", JsonValue(std::string(to_string(principal.role)))},
                    {"tenant", principal.tenant ? JsonValue(principal.tenant->value().to_string())
                                                : JsonValue()}}))};
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto tokens = store::list_admin_tokens(session);
    if (!tokens) return refuse(tokens.error());
    JsonArray items;
    for (const store::AdminTokenRecord& token : *tokens) items.push_back(to_json(token));
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

ApiResult<store::AdminTokenRecord> read_token(const Call& call, store::Session& session) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  store::AdminTokenRecord token{.id = store::AdminTokenId(Uuid::random(call.random)),
                                .name = reader.required_text("name", 100),
                                .role = reader.required_text("role"),
                                .tenant = std::nullopt,
                                .created_at = {},
                                .expires_at = reader.time("expires_at"),
                                .revoked_at = std::nullopt};
  const auto tenant_name = reader.text("tenant");
  if (auto done = reader.result(); !done) return refuse(done.error());
  const auto role = parse_role(token.role);
  if (!role) return refuse(role.error());
  if ((*role == Role::kTenantAdmin) != tenant_name.has_value())
    return refuse(Error{ErrorKind::kInvalid, "a tenant-admin has a tenant, and nobody else has"});
  if (token.expires_at && *token.expires_at <= call.time.wall())
    return refuse(Error{ErrorKind::kInvalid, "expires_at is in the past"});
  if (tenant_name) {
    const auto tenant = store::find_tenant(session, *tenant_name);
    if (!tenant) return refuse(Error{ErrorKind::kInvalid, tenant.error().message});
    token.tenant = tenant->id;
  }
  return token;
}

std::string token_json(const store::AdminTokenRecord& token, const Secret* secret) {
  return to_json_text(JsonValue(
      JsonObject{{"id", JsonValue(token.id.value().to_string())},
                 {"name", JsonValue(token.name)},
                 {"role", JsonValue(token.role)},
                 {"token", secret ? JsonValue(std::string(secret->reveal())) : JsonValue()}}));
}

ApiResult<Answer> create(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto token = read_token(call, change);
    if (!token) return refuse(token.error());
    const Secret secret = make_admin_token(call.random);
    if (auto stored = store::insert_admin_token(change, *token, sha256(secret.reveal())); !stored)
      return refuse(stored.error());
    return Answer{
        .status = 201, .body = token_json(*token, &secret), .replay = token_json(*token, nullptr)};
  });
}

ApiResult<Answer> revoke(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto id = Uuid::parse(call.parameter(0));
    if (!id) return refuse(Error{ErrorKind::kNotFound, "there is no such admin token"});
    if (auto done = store::revoke_admin_token(change, store::AdminTokenId(*id)); !done)
      return refuse(done.error());
    return Answer{.status = 204};
  });
}

}  // namespace

void add_token_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/whoami",
                       .summary = "Who the caller is",
                       .access = {Role::kViewer, TenantAdmins::kFiltered},
                       .handler = answering(whoami),
                       .response_schema = "Principal"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tokens",
                       .summary = "All admin tokens, without their secrets",
                       .access = {Role::kOwner},
                       .handler = answering(list),
                       .response_schema = "TokenPage"});
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/tokens",
                       .summary = "Make an admin token; it is shown once",
                       .access = {Role::kOwner},
                       .handler = answering(create),
                       .request_schema = "NewToken",
                       .response_schema = "TokenWithSecret",
                       .success = 201});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/tokens/{token}",
                       .summary = "Revoke an admin token, from the next call on",
                       .access = {Role::kOwner},
                       .handler = answering(revoke),
                       .success = 204});
}

}  // namespace partywall::admin
