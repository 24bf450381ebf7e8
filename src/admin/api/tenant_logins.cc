#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "base/json_writer.h"
#include "identity/scram.h"
#include "identity/secrets.h"
#include "store/control/tenants.h"

// A tenant's own logins at the sql and cache doors. The secret is made here, shown once, and kept
// only as a verifier or a digest.
namespace partywall::admin {
namespace {

enum class LoginDoor : uint8_t { kSql, kCache };

std::optional<LoginDoor> parse_door(std::string_view text) {
  if (text == "sql") return LoginDoor::kSql;
  if (text == "cache") return LoginDoor::kCache;
  return std::nullopt;
}

std::string login_json(std::string_view door, std::string_view user, const Secret* secret) {
  JsonObject object{{"door", JsonValue(std::string(door))},
                    {"user", JsonValue(std::string(user))},
                    {"secret", secret ? JsonValue(std::string(secret->reveal())) : JsonValue()}};
  return to_json_text(JsonValue(std::move(object)));
}

ApiResult<> store_login(const Call& call, store::Change& change, const store::TenantRecord& tenant,
                        LoginDoor door, const std::string& user, const Secret& secret) {
  Result<> put;
  if (door == LoginDoor::kSql) {
    const auto verifier = make_scram_verifier(secret.reveal(), call.random);
    if (!verifier) return refuse(verifier.error());
    put = store::put_sql_login(change, tenant.id,
                               SqlLogin{.user = user,
                                        .login_class = LoginClass::kBound,
                                        .verifier = verifier->to_string(),
                                        .tenant = tenant.id});
  } else {
    put = store::put_cache_login(
        change, tenant.id,
        CacheLogin{.user = user, .secret_sha256 = hash_access_secret(secret), .tenant = tenant.id});
  }
  if (!put) return refuse(put.error());
  return {};
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, session);
    if (!tenant) return refuse(tenant.error());
    JsonArray items;
    const auto add = [&](std::string_view door, const std::string& user) {
      items.emplace_back(
          JsonObject{{"door", JsonValue(std::string(door))}, {"user", JsonValue(user)}});
    };
    for (const SqlLogin& login : tenant->sql_logins) add("sql", login.user);
    for (const CacheLogin& login : tenant->cache_logins) add("cache", login.user);
    return Answer{.body = to_json_text(JsonValue(
                      JsonObject{{"items", JsonValue(std::move(items))}, {"next", JsonValue()}}))};
  });
}

ApiResult<Answer> create(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    const auto body = parse_body(call.request);
    if (!body) return refuse(body.error());
    JsonReader reader(*body);
    const std::string door_name = reader.required_text("door");
    const std::string user = reader.text("user").value_or(tenant->slug);
    const auto door = parse_door(door_name);
    if (!door) reader.reject("door", "must be sql or cache");
    if (auto done = reader.result(); !done) return refuse(done.error());
    const Secret secret = make_access_secret(call.random);
    if (auto stored = store_login(call, change, *tenant, *door, user, secret); !stored)
      return refuse(stored.error());
    return Answer{.status = 201,
                  .body = login_json(door_name, user, &secret),
                  .replay = login_json(door_name, user, nullptr)};
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    const auto door = parse_door(call.parameter(1));
    if (!door) return refuse(Error{ErrorKind::kNotFound, "A login is at the door sql or cache."});
    const std::string& user = call.parameter(2);
    const auto removed = *door == LoginDoor::kSql
                             ? store::remove_sql_login(change, tenant->id, user)
                             : store::remove_cache_login(change, tenant->id, user);
    if (!removed) return refuse(removed.error());
    return Answer{.status = 204};
  });
}

}  // namespace

void add_tenant_login_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tenants/{tenant}/logins",
                       .summary = "The tenant's own logins at the sql and cache doors",
                       .access = {Role::kViewer, TenantAdmins::kOwnTenant},
                       .handler = answering(list),
                       .response_schema = "LoginPage"});
  endpoints.push_back(
      {.method = "POST",
       .pattern = "/v1/tenants/{tenant}/logins",
       .summary = "Make a login, or a new secret for one that is there; the secret is shown once",
       .access = {Role::kOperator, TenantAdmins::kOwnTenant},
       .handler = answering(create),
       .request_schema = "NewLogin",
       .response_schema = "LoginWithSecret",
       .success = 201});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/tenants/{tenant}/logins/{door}/{user}",
                       .summary = "Remove a login",
                       .access = {Role::kOperator, TenantAdmins::kOwnTenant},
                       .handler = answering(remove),
                       .success = 204});
}

}  // namespace partywall::admin
