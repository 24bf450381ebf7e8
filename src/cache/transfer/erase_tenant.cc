#include "cache/transfer/erase_tenant.h"

#include <algorithm>
#include <thread>

#include "cache/prefix/key_prefix.h"
#include "cache/provision.h"
#include "cache/quota/key_index.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

Result<uint64_t> count_channels(redis::Connection& server, TenantId tenant) {
  uint64_t count = 0;
  for (const char* kind : {"CHANNELS", "SHARDCHANNELS"}) {
    const auto reply = server.command({"PUBSUB", kind, channel_prefix(tenant) + "*"});
    if (!reply) return std::unexpected(reply.error());
    if (reply->is_error()) return fail(ErrorKind::kDenied, "PUBSUB {}: {}", kind, reply->text);
    count += reply->items.size();
  }
  return count;
}

Result<bool> has_user(redis::Connection& server, TenantId tenant) {
  const auto reply = server.command({"ACL", "GETUSER", tenant_user(tenant)});
  if (!reply) return std::unexpected(reply.error());
  if (reply->is_error()) return fail(ErrorKind::kDenied, "ACL GETUSER: {}", reply->text);
  return reply->kind != redis::Reply::Kind::kNil;
}

// In prefix mode whatever has the tenant's name before it, also in databases that its limits do not
// grant any more.
std::vector<KeySpace> spaces_to_erase(const CacheBackend& backend, const Tenant& tenant) {
  if (backend.mode == CacheMode::kDatabase) return key_spaces_of(backend, tenant);
  return {{.prefix = key_root(backend, tenant), .all_databases = true}};
}

class Eraser {
 public:
  Eraser(const CacheBackend& backend, const CacheInstance& instance,
         const RedisAdministrator& administrator, const Tenant& tenant,
         const TransferOptions& options)
      : backend_(backend),
        instance_(instance),
        administrator_(administrator),
        tenant_(tenant),
        options_(options),
        spaces_(spaces_to_erase(backend, tenant)) {}

  Result<uint64_t> erase_keys_of_tenant() {
    uint64_t erased = 0;
    // A key space without a prefix is one database; one with a prefix may be on several nodes.
    const auto servers = list_servers(backend_, instance_, administrator_);
    if (!servers) return std::unexpected(servers.error());
    for (const Endpoint& endpoint : *servers) {
      auto server = open_as_administrator(backend_, endpoint, administrator_);
      if (!server) return std::unexpected(server.error());
      const auto role = server->command({"ROLE"});
      if (!role) return std::unexpected(role.error());
      if (role->items.empty() || role->items.front().text != "master") continue;
      for (const KeySpace& space : spaces_) {
        const auto count = erase_keys(*server, space, options_);
        if (!count) return count;
        erased += *count;
      }
      if (auto done = erase_indexes(*server); !done) return std::unexpected(done.error());
    }
    return erased;
  }

  Result<std::vector<Remains>> look() {
    const auto servers = list_servers(backend_, instance_, administrator_);
    if (!servers) return std::unexpected(servers.error());
    std::vector<Remains> found;
    for (const Endpoint& endpoint : *servers) {
      auto server = open_as_administrator(backend_, endpoint, administrator_);
      if (!server) return std::unexpected(server.error());
      const auto user = has_user(*server, tenant_.id);
      if (!user) return std::unexpected(user.error());
      const auto channels = count_channels(*server, tenant_.id);
      if (!channels) return std::unexpected(channels.error());
      Remains remains{.server = endpoint, .has_user = *user, .channels = *channels};
      for (const KeySpace& space : spaces_) {
        const auto keys = count_keys(*server, space, options_);
        if (!keys) return std::unexpected(keys.error());
        remains.keys += *keys;
      }
      found.push_back(std::move(remains));
    }
    return found;
  }

 private:
  // What the door has written down about the tenant's keys, which has their names.
  Result<> erase_indexes(redis::Connection& server) const {
    if (backend_.mode != CacheMode::kPrefix) return {};
    std::vector<std::string> words = {"DEL"};
    // Of databases too that the tenant had once.
    for (uint32_t number = 0; number < kMaxCacheDatabases; ++number)
      words.push_back(key_index(key_prefix(backend_, tenant_, number)));
    const auto reply = server.command(words);
    if (!reply) return std::unexpected(reply.error());
    // Of a cluster one node has it.
    if (reply->is_error() && !reply->text.starts_with("MOVED"))
      return fail(ErrorKind::kDenied, "DEL: {}", reply->text);
    return {};
  }

  const CacheBackend& backend_;
  const CacheInstance& instance_;
  const RedisAdministrator& administrator_;
  const Tenant& tenant_;
  const TransferOptions& options_;
  std::vector<KeySpace> spaces_;
};

}  // namespace

std::vector<KeySpace> key_spaces_of(const CacheBackend& backend, const Tenant& tenant) {
  std::vector<KeySpace> spaces;
  for (uint32_t number = 0; number < tenant.limits.cache_databases; ++number) {
    KeySpace space{.number = number, .prefix = key_prefix(backend, tenant, number)};
    if (backend.mode == CacheMode::kDatabase) space.database = tenant.cache_database + number;
    spaces.push_back(std::move(space));
  }
  return spaces;
}

bool Erasure::complete() const { return std::ranges::all_of(proof, &Remains::none); }

Result<Erasure> erase_tenant(const CacheBackend& backend, const CacheInstance& instance,
                             const RedisAdministrator& administrator, const Tenant& tenant,
                             const TransferOptions& options, Duration patience) {
  // First, so that nobody writes any more.
  if (auto removed = remove_tenant_user(backend, instance, administrator, tenant.id); !removed)
    return std::unexpected(removed.error());
  Eraser eraser(backend, instance, administrator, tenant, options);
  const auto erased = eraser.erase_keys_of_tenant();
  if (!erased) return std::unexpected(erased.error());
  constexpr Duration kPause = milliseconds(100);
  for (Duration waited{0};; waited += kPause) {
    auto proof = eraser.look();
    if (!proof) return std::unexpected(proof.error());
    Erasure erasure{.erased_keys = *erased, .proof = std::move(*proof)};
    if (erasure.complete() || waited >= patience) return erasure;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace partywall::cache
