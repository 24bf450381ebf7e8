#include "cache/upstream_target.h"

#include <fmt/format.h>

#include "cache/prefix/key_prefix.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

std::string_view version_of(Protocol protocol) { return protocol == Protocol::kResp2 ? "2" : "3"; }

std::string login(Protocol protocol, std::string_view user, const Secret& password) {
  if (protocol == Protocol::kResp2) return make_request({"AUTH", user, password.reveal()});
  return make_request({"HELLO", version_of(protocol), "AUTH", user, password.reveal()});
}

// A connection that runs a tenant's commands has its user's name, so that Redis's slow log says
// whose they are. Nobody needs a right for that in HELLO, and tenants cannot take other names.
std::string login_for(const UpstreamTarget& target, std::string_view user, const Secret& password) {
  return make_request({"HELLO", version_of(target.protocol), "AUTH", user, password.reveal(),
                       "SETNAME", tenant_user(target.tenant)});
}

}  // namespace

UpstreamTarget target_of(const Tenant& tenant, std::shared_ptr<CacheRoute> route, Protocol protocol,
                         UpstreamUser user, uint32_t selected) {
  const CacheBackend& backend = route->backend();
  std::string prefix = key_prefix(backend, tenant, selected);
  return {.tenant = tenant.id,
          .route = route,
          .slot = hash_slot(prefix),
          .selected = selected,
          .database = backend.mode == CacheMode::kDatabase ? tenant.cache_database + selected : 0,
          .key_prefix = std::move(prefix),
          .protocol = protocol,
          .user = user};
}

Handshake tenant_handshake(const UpstreamTarget& target) {
  const CacheBackend& backend = target.route->backend();
  std::string requests = login_for(target, backend.door_user, backend.door_password);
  requests += make_request({"CLIENT", "ID"});
  requests += make_request({"INFO", "server"});
  requests += make_request({"INFO", "memory"});
  // A server that another one has taken over from must not be taken for the primary.
  const bool ask_role = target.route->instance().topology == CacheTopology::kSentinel;
  if (ask_role) requests += make_request({"ROLE"});
  requests += make_request({"SELECT", fmt::format_int(target.database).c_str()});
  requests += make_request({"AUTH", tenant_user(target.tenant),
                            tenant_user_password(backend.tenant_password, target.tenant).reveal()});
  constexpr uint32_t kReplies = 6;
  constexpr uint32_t kRoleStep = 5;
  if (!ask_role) return {std::move(requests), kReplies};
  return {std::move(requests), kReplies + 1, kRoleStep};
}

Handshake keyspace_handshake(const UpstreamTarget& target) {
  const Secret& key = target.route->backend().tenant_password;
  return {login_for(target, kKeyspaceUser, keyspace_password(key)), 1};
}

Handshake index_handshake(const UpstreamTarget& target) {
  const Secret& key = target.route->backend().tenant_password;
  return {login(target.protocol, kIndexUser, index_password(key)), 1};
}

Handshake channels_handshake(const UpstreamTarget& target) {
  const Secret& key = target.route->backend().tenant_password;
  return {login_for(target, kSubscriberUser, subscriber_password(key)), 1};
}

Handshake unblock_handshake(const UpstreamTarget& target, uint64_t connection_id,
                            std::string_view how) {
  const CacheBackend& backend = target.route->backend();
  std::string requests = login(Protocol::kResp2, backend.door_user, backend.door_password);
  requests += make_request({"CLIENT", "UNBLOCK", fmt::format_int(connection_id).c_str(), how});
  constexpr uint32_t kUnblockReplies = 2;
  return {std::move(requests), kUnblockReplies};
}

Handshake subscriber_handshake(const UpstreamTarget& target) {
  const Secret& key = target.route->backend().tenant_password;
  return {login(target.protocol, kSubscriberUser, subscriber_password(key)), 1};
}

}  // namespace partywall::cache
