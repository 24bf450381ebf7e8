#include "cache/transfer/erase_tenant.h"

#include <algorithm>
#include <thread>

#include "cache/database_owners.h"
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

// Also those that its limits do not grant any more.
Result<std::vector<KeySpace>> databases_to_erase(redis::Connection& server,
                                                 const CacheBackend& backend, const Tenant& tenant,
                                                 std::span<const Tenant> neighbours) {
  std::vector<KeySpace> spaces = key_spaces_of(backend, tenant);
  const auto uses = databases_in_use(server);
  if (!uses) return std::unexpected(uses.error());
  std::vector<Tenant> all(neighbours.begin(), neighbours.end());
  all.push_back(tenant);
  for (const auto& [database, use] : left_behind(all, *uses)) {
    if (*use.owner == tenant.id)
      spaces.push_back({.number = static_cast<uint32_t>(spaces.size()), .database = database});
  }
  return spaces;
}

class Eraser {
 public:
  Eraser(const CacheBackend& backend, const CacheInstance& instance,
         const RedisAdministrator& administrator, const Tenant& tenant,
         std::span<const Tenant> neighbours, const TransferOptions& options)
      : backend_(backend),
        instance_(instance),
        administrator_(administrator),
        tenant_(tenant),
        neighbours_(neighbours),
        options_(options) {}

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
      const auto spaces = spaces_to_erase(*server);
      if (!spaces) return std::unexpected(spaces.error());
      for (const KeySpace& space : *spaces) {
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
      const auto spaces = spaces_to_erase(*server);
      if (!spaces) return std::unexpected(spaces.error());
      Remains remains{.server = endpoint, .has_user = *user, .channels = *channels};
      for (const KeySpace& space : *spaces) {
        const auto keys = count_keys(*server, space, options_);
        if (!keys) return std::unexpected(keys.error());
        remains.keys += *keys;
      }
      found.push_back(std::move(remains));
    }
    return found;
  }

 private:
  // In prefix mode whatever has the tenant's name before it.
  [[nodiscard]] Result<std::vector<KeySpace>> spaces_to_erase(redis::Connection& server) const {
    if (backend_.mode == CacheMode::kDatabase)
      return databases_to_erase(server, backend_, tenant_, neighbours_);
    return std::vector<KeySpace>{{.prefix = key_root(backend_, tenant_), .all_databases = true}};
  }

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
  std::span<const Tenant> neighbours_;
  const TransferOptions& options_;
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
                             std::span<const Tenant> neighbours, const TransferOptions& options,
                             Duration patience) {
  // First, so that nobody writes any more.
  if (auto removed = remove_tenant_user(backend, instance, administrator, tenant.id); !removed)
    return std::unexpected(removed.error());
  Eraser eraser(backend, instance, administrator, tenant, neighbours, options);
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
