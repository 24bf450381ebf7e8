#include "cache/provision.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/hex.h"
#include "base/text.h"
#include "cache/commands/command_table.h"
#include "cache/load/server_setup.h"
#include "cache/prefix/key_prefix.h"
#include "cache/provision_servers.h"
#include "cache/quota/key_index.h"
#include "cache/scripts/script_policy.h"
#include "cache/server_facts.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

using Words = std::vector<std::string>;

// Redis closes a connection that lets this much pile up: at once beyond the first number, after the
// seconds beyond the second one. Redis's own default is to let it grow without end.
constexpr const char* kOutputLimits = "normal 268435456 67108864 60";

// All events, by key and by event.
constexpr const char* kKeyspaceEvents = "AKE";

// `previous` may be empty: then only `password` counts.
Words set_user(std::string user, const Secret& password, const Secret& previous,
               const Words& rules) {
  Words words = {"ACL", "SETUSER", std::move(user), "reset", "on"};
  // The hash, so that the password does not appear in MONITOR or the slow log.
  words.push_back("#" + to_hex(as_bytes(sha256(password.reveal()))));
  if (!previous.empty()) words.push_back("#" + to_hex(as_bytes(sha256(previous.reveal()))));
  words.insert(words.end(), rules.begin(), rules.end());
  return words;
}

// What `derive` makes of the key that is on its way out; empty: there is none.
template <class Derive>
Secret previous_of(const CacheBackend& backend, const Derive& derive) {
  const Secret& key = backend.previous_tenant_password;
  return key.empty() ? Secret() : derive(key);
}

// The second of the two words that CONFIG GET answers.
Result<std::string> get_setting(redis::Connection& connection, const std::string& name) {
  const auto reply = connection.command({"CONFIG", "GET", name});
  if (!reply) return std::unexpected(reply.error());
  if (reply->items.size() != 2) {
    return fail(ErrorKind::kInvalid, "Redis does not tell its setting '{}': {}", name,
                redis::to_string(*reply));
  }
  return reply->items[1].text;
}

Result<uint64_t> count_databases(redis::Connection& connection) {
  const auto text = get_setting(connection, "databases");
  if (!text) return std::unexpected(text.error());
  return parse_unsigned(*text);
}

Result<> check_databases(const std::vector<Tenant>& tenants, uint64_t count) {
  std::map<uint32_t, std::string> owners;
  for (const Tenant& tenant : tenants) {
    for (uint32_t i = 0; i < tenant.limits.cache_databases; ++i) {
      const uint32_t database = tenant.cache_database + i;
      if (database >= count) {
        return fail(ErrorKind::kInvalid,
                    "tenant {}: database {} does not exist, Redis has {}; start it with more "
                    "(databases)",
                    tenant.slug, database, count);
      }
      const auto [entry, added] = owners.emplace(database, tenant.slug);
      if (!added) {
        return fail(ErrorKind::kInvalid, "tenants {} and {} have the same database {}",
                    entry->second, tenant.slug, database);
      }
    }
  }
  return {};
}

// Deleting a user also ends its connections.
Result<> remove_old_tenants(redis::Connection& connection, const std::set<std::string>& wanted) {
  const auto users = connection.command({"ACL", "USERS"});
  if (!users) return std::unexpected(users.error());
  for (const redis::Reply& user : users->items) {
    if (!user.text.starts_with(kTenantUserPrefix) || wanted.contains(user.text)) continue;
    const auto removed = connection.command({"ACL", "DELUSER", user.text});
    if (!removed) return std::unexpected(removed.error());
    if (removed->is_error())
      return fail(ErrorKind::kInvalid, "ACL DELUSER {}: {}", user.text, removed->text);
  }
  return {};
}

// 704 of a Redis 7.4; a rule about a command that it does not have is an error.
Result<uint32_t> server_version(redis::Connection& connection) {
  const auto info = connection.command({"INFO", "server"});
  if (!info) return std::unexpected(info.error());
  ServerFacts facts;
  facts.learn(info->text);
  const size_t dot = facts.version.find('.');
  const auto major = parse_unsigned(facts.version.substr(0, dot));
  const auto minor = dot == std::string::npos
                         ? Result<uint64_t>(0)
                         : parse_unsigned(facts.version.substr(
                               dot + 1, facts.version.find('.', dot + 1) - dot - 1));
  if (!major || !minor) {
    return fail(ErrorKind::kInvalid, "Redis does not tell its version (INFO server): '{}'",
                facts.version);
  }
  return static_cast<uint32_t>(*major * 100 + *minor);
}

// Commands about all keys see every tenant's: in prefix mode only the keyspace user has them.
bool is_about_all_keys(CommandKind kind) {
  return kind == CommandKind::kKeyspace || kind == CommandKind::kFlush;
}

// In database mode the door weighs and evicts a tenant's keys as the tenant's own user, with EVAL.
bool needs(CacheScripts scripts, const CommandRule& rule, CacheMode mode) {
  return allows(scripts, rule.kind) || (mode == CacheMode::kDatabase && rule.name == "eval");
}

void add_passed_on_commands(Words& rules, CacheMode mode, CacheScripts scripts, uint32_t version) {
  for (const CommandRule& rule : kCommandRules) {
    if (rule.since > version || !needs(scripts, rule, mode)) continue;
    if (mode == CacheMode::kPrefix && is_about_all_keys(rule.kind)) continue;
    // The door turns FLUSHALL into FLUSHDB and INFO into DBSIZE.
    if (!is_passed_on(rule.kind) || rule.name == "flushall") continue;
    // A container without a sub-command is an error, except COMMAND, and would allow all of them.
    if (rule.shape == CommandShape::kContainer && rule.arity != -1) continue;
    rules.push_back("+" + std::string(rule.name));
  }
}

}  // namespace

std::vector<std::string> tenant_acl_rules(const CacheBackend& backend, const Tenant& tenant,
                                          uint32_t server_version) {
  // Of all its databases, also those that its limits may grant later.
  const std::string keys = backend.mode == CacheMode::kPrefix
                               ? fmt::format("~{}{}", key_root(backend, tenant), kAnyDatabase)
                               : "~*";
  Words rules = {keys, "resetchannels", "&" + channel_prefix(tenant.id) + "*", "-@all"};
  add_passed_on_commands(rules, backend.mode, tenant.limits.cache_scripts, server_version);
  return rules;
}

// All keys, because Redis lets nobody else SORT by patterns. Of SORT it gets only what the door has
// put the prefix into, and of SCAN's answers the door passes on only the tenant's. COPY is not the
// tenant's own user's: its scripts could fill other databases of Redis, where nobody would find it.
std::vector<std::string> keyspace_acl_rules() {
  return {"allkeys", "resetchannels", "-@all", "+copy", "+scan", "+sort", "+sort_ro"};
}

std::vector<std::string> index_acl_rules() {
  return {"~tenant:*",     "~" + key_index("") + "*",
          "resetchannels", "-@all",
          "+eval",         "+sadd",
          "+srem",         "+scard",
          "+sscan",        "+srandmember",
          "+scan",         "+exists",
          "+unlink",       "+object|idletime",
          "+object|freq",  "+memory|usage"};
}

std::vector<std::string> door_acl_rules() {
  return {"resetkeys", "resetchannels", "-@all",          "+auth",      "+hello",         "+select",
          "+info",     "+role",         "+cluster|nodes", "+client|id", "+client|unblock"};
}

// All channels: Redis compares what is asked for in PSUBSCRIBE with the rule letter by letter.
// PUBSUB knows no rule at all, and answers scripts with everybody's channels: so it is not among
// the commands of tenants' users.
std::vector<std::string> subscriber_acl_rules() {
  return {"resetkeys",
          "allchannels",
          "-@all",
          "+ping",
          "+subscribe",
          "+psubscribe",
          "+ssubscribe",
          "+unsubscribe",
          "+punsubscribe",
          "+sunsubscribe",
          "+pubsub|channels",
          "+pubsub|numsub",
          "+pubsub|shardchannels",
          "+pubsub|shardnumsub"};
}

std::vector<std::string> watch_acl_rules() {
  // EVAL to have Lua's garbage collected; a script of such a user can call nothing but these.
  return {"resetkeys",    "resetchannels",  "-@all", "+slowlog|get",
          "+script|kill", "+function|kill", "+info", "+eval"};
}

// What https://redis.io/docs/management/sentinel names for it.
std::vector<std::string> sentinel_acl_rules() {
  return {"resetkeys", "allchannels", "-@all",           "+multi",          "+slaveof",
          "+ping",     "+exec",       "+subscribe",      "+config|rewrite", "+role",
          "+publish",  "+info",       "+client|setname", "+client|kill",    "+script|kill"};
}

std::vector<std::string> replica_acl_rules() {
  return {"resetkeys", "resetchannels", "-@all", "+psync", "+replconf", "+ping"};
}

namespace {

class Provisioning {
 public:
  Provisioning(const CacheBackend& backend, const CacheInstance& instance,
               const RedisAdministrator& administrator)
      : backend_(backend), instance_(instance), administrator_(administrator) {}

  // Everything on every server. One that cannot be reached does not keep the others from being
  // done.
  Result<> run(const std::vector<Tenant>& tenants, OldTenants old) {
    const auto prepare = [&](redis::Connection& server) { return set_up(server, tenants); };
    if (auto done = on_each_server(prepare); !done) return done;
    if (auto told = tell_sentinels(); !told) return told;
    // Last, because replicas and Sentinels may have been the default user until now.
    return on_each_server(
        [&](redis::Connection& server) { return close_default(server, tenants, old); });
  }

  Result<> add(const Tenant& tenant) {
    return on_each_server([&](redis::Connection& server) -> Result<> {
      const auto version = server_version(server);
      if (!version) return std::unexpected(version.error());
      if (auto made = server.expect_ok(tenant_command(tenant, *version)); !made) return made;
      return save(server);
    });
  }

  Result<> remove(TenantId tenant) {
    return on_each_server([&](redis::Connection& server) -> Result<> {
      // Also ends its connections.
      const auto removed = server.command({"ACL", "DELUSER", tenant_user(tenant)});
      if (!removed) return std::unexpected(removed.error());
      if (removed->is_error()) return fail(ErrorKind::kDenied, "ACL DELUSER: {}", removed->text);
      return save(server);
    });
  }

 private:
  template <class Work>
  Result<> on_each_server(const Work& work) {
    const auto servers = list_servers(backend_, instance_, administrator_);
    if (!servers) return std::unexpected(servers.error());
    Result<> first;
    for (const Endpoint& endpoint : *servers) {
      auto server = open_as_administrator(backend_, endpoint, administrator_);
      const Result<> done =
          server ? work(*server) : Result<>(std::unexpected(std::move(server.error())));
      if (!done && first) first = fail_with_context(endpoint.to_string(), done.error());
    }
    return first;
  }

  [[nodiscard]] Words tenant_command(const Tenant& tenant, uint32_t version) const {
    const auto password = [&](const Secret& key) { return tenant_user_password(key, tenant.id); };
    return set_user(tenant_user(tenant.id), password(backend_.tenant_password),
                    previous_of(backend_, password),
                    with_asking(tenant_acl_rules(backend_, tenant, version)));
  }

  // Announces a request that another node of a cluster has sent here.
  [[nodiscard]] Words with_asking(Words rules) const {
    if (instance_.topology == CacheTopology::kCluster) rules.emplace_back("+asking");
    return rules;
  }

  Result<> set_up(redis::Connection& server, const std::vector<Tenant>& tenants) const {
    if (backend_.mode == CacheMode::kDatabase) {
      const auto databases = count_databases(server);
      if (!databases) return std::unexpected(databases.error());
      if (auto valid = check_databases(tenants, *databases); !valid) return valid;
    }
    const auto version = server_version(server);
    if (!version) return std::unexpected(version.error());
    std::vector<Words> commands = {
        set_user(backend_.door_user, backend_.door_password, backend_.previous_door_password,
                 door_acl_rules()),
        set_user(std::string(kSubscriberUser), subscriber_password(backend_.tenant_password),
                 previous_of(backend_, &subscriber_password), subscriber_acl_rules()),
        set_user(std::string(kWatchUser), watch_password(backend_.tenant_password),
                 previous_of(backend_, &watch_password), watch_acl_rules())};
    if (backend_.mode == CacheMode::kPrefix) {
      commands.push_back(
          set_user(std::string(kKeyspaceUser), keyspace_password(backend_.tenant_password),
                   previous_of(backend_, &keyspace_password), with_asking(keyspace_acl_rules())));
      commands.push_back(set_user(std::string(kIndexUser), index_password(backend_.tenant_password),
                                  previous_of(backend_, &index_password),
                                  with_asking(index_acl_rules())));
    }
    for (const Tenant& tenant : tenants) commands.push_back(tenant_command(tenant, *version));
    commands.push_back({"CONFIG", "SET", "client-output-buffer-limit", kOutputLimits});
    // RESTORE, of an import, must not take a payload that breaks the server when it is used.
    commands.push_back({"CONFIG", "SET", "sanitize-dump-payload", "clients"});
    for (const auto& [setting, value] : sharing_settings())
      commands.push_back({"CONFIG", "SET", setting, value});
    if (backend_.keyspace_events)
      commands.push_back({"CONFIG", "SET", "notify-keyspace-events", kKeyspaceEvents});
    for (const Words& words : commands) {
      if (auto done = server.expect_ok(words); !done) return done;
    }
    return instance_.topology == CacheTopology::kSingle ? Result<>() : set_up_replication(server);
  }

  // Replicas log in to their primary, and each may become one.
  Result<> set_up_replication(redis::Connection& server) const {
    const Secret password = replica_password(backend_.tenant_password);
    if (auto made = server.expect_ok(set_user(std::string(kReplicaUser), password,
                                              previous_of(backend_, &replica_password),
                                              replica_acl_rules()));
        !made) {
      return made;
    }
    const auto user = get_setting(server, "masteruser");
    if (!user) return std::unexpected(user.error());
    // The operator's own, if there is one.
    if (user->empty() || *user == kReplicaUser) {
      for (const Words& words :
           {Words{"CONFIG", "SET", "masteruser", std::string(kReplicaUser)},
            Words{"CONFIG", "SET", "masterauth", std::string(password.reveal())}}) {
        if (auto set = server.expect_ok(words); !set) return set;
      }
    }
    if (instance_.topology != CacheTopology::kSentinel) return {};
    return server.expect_ok(
        set_user(std::string(kSentinelUser), sentinel_password(backend_.tenant_password),
                 previous_of(backend_, &sentinel_password), sentinel_acl_rules()));
  }

  Result<> tell_sentinels() const {
    if (instance_.topology != CacheTopology::kSentinel) return {};
    auto sentinels = open_sentinels(backend_, instance_);
    if (!sentinels) return std::unexpected(sentinels.error());
    for (redis::Connection& sentinel : *sentinels) {
      if (auto set = sentinel.expect_ok(
              {"SENTINEL", "SET", instance_.primary_name, "auth-user", std::string(kSentinelUser),
               "auth-pass", std::string(sentinel_password(backend_.tenant_password).reveal())});
          !set) {
        return set;
      }
    }
    if (sentinels->size() == instance_.endpoints.size()) return {};
    return fail(ErrorKind::kUnavailable,
                "{} of {} Sentinels cannot be reached, and do not know their new login; provision "
                "again when they are back",
                instance_.endpoints.size() - sentinels->size(), instance_.endpoints.size());
  }

  Result<> close_default(redis::Connection& server, const std::vector<Tenant>& tenants,
                         OldTenants old) const {
    if (auto off = server.expect_ok({"ACL", "SETUSER", "default", "off"}); !off) return off;
    if (old == OldTenants::kKeep) return save(server);
    std::set<std::string> wanted;
    for (const Tenant& tenant : tenants) wanted.insert(tenant_user(tenant.id));
    if (auto removed = remove_old_tenants(server, wanted); !removed) return removed;
    return save(server);
  }

  // Where Redis has files for it. Replicated servers keep their login to the primary there too.
  Result<> save(redis::Connection& server) const {
    const auto users = get_setting(server, "aclfile");
    if (!users) return std::unexpected(users.error());
    if (!users->empty()) {
      if (auto saved = server.expect_ok({"ACL", "SAVE"}); !saved) return saved;
    }
    if (instance_.topology == CacheTopology::kSingle) return {};
    const auto info = server.command({"INFO", "server"});
    if (!info) return std::unexpected(info.error());
    const bool has_file = !info->text.contains("\nconfig_file:\r");
    return has_file ? server.expect_ok({"CONFIG", "REWRITE"}) : Result<>();
  }

  const CacheBackend& backend_;
  const CacheInstance& instance_;
  const RedisAdministrator& administrator_;
};

}  // namespace

Result<> provision_redis(const CacheBackend& backend, const CacheInstance& instance,
                         const RedisAdministrator& administrator,
                         const std::vector<Tenant>& tenants, OldTenants old) {
  return Provisioning(backend, instance, administrator).run(tenants, old);
}

Result<> provision_tenant(const CacheBackend& backend, const CacheInstance& instance,
                          const RedisAdministrator& administrator, const Tenant& tenant) {
  return Provisioning(backend, instance, administrator).add(tenant);
}

Result<> remove_tenant_user(const CacheBackend& backend, const CacheInstance& instance,
                            const RedisAdministrator& administrator, TenantId tenant) {
  return Provisioning(backend, instance, administrator).remove(tenant);
}

}  // namespace partywall::cache
