#include "cache/provision.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/crypto.h"
#include "base/hex.h"
#include "base/text.h"
#include "cache/commands/command_table.h"
#include "cache/server_facts.h"
#include "cache/tenant_user.h"
#include "engines/redis.h"

namespace partywall::cache {
namespace {

using Words = std::vector<std::string>;

// Redis closes a connection that lets this much pile up: at once beyond the first number, after the
// seconds beyond the second one. Redis's own default is to let it grow without end.
constexpr const char* kOutputLimits = "normal 268435456 67108864 60";

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

Result<redis::Connection> open_as_administrator(const Endpoint& endpoint,
                                                const RedisAdministrator& administrator) {
  redis::ConnectionSettings settings{
      .endpoint = endpoint, .user = administrator.user, .password = administrator.password};
  auto connection = redis::Connection::open(settings);
  if (connection || connection.error().kind != ErrorKind::kDenied) return connection;
  // A fresh Redis: everybody is the default user, who may do everything.
  settings.user.clear();
  auto fresh = redis::Connection::open(settings);
  if (!fresh) return connection;
  const auto made = fresh->expect_ok(
      set_user(administrator.user, administrator.password, Secret(), {"~*", "&*", "+@all"}));
  if (!made) return connection;
  settings.user = administrator.user;
  return redis::Connection::open(settings);
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
    if (tenant.cache_database >= count) {
      return fail(ErrorKind::kInvalid,
                  "tenant {}: cache_database {} does not exist, Redis has {}; start it with more "
                  "(databases)",
                  tenant.slug, tenant.cache_database, count);
    }
    const auto [entry, added] = owners.emplace(tenant.cache_database, tenant.slug);
    if (!added) {
      return fail(ErrorKind::kInvalid, "tenants {} and {} have the same cache_database {}",
                  entry->second, tenant.slug, tenant.cache_database);
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

Result<> save_users(redis::Connection& connection) {
  const auto file = get_setting(connection, "aclfile");
  if (!file) return std::unexpected(file.error());
  return file->empty() ? Result<>() : connection.expect_ok({"ACL", "SAVE"});
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

void add_passed_on_commands(Words& rules, uint32_t version) {
  for (const CommandRule& rule : kCommandRules) {
    if (rule.since > version) continue;
    // The door turns FLUSHALL into FLUSHDB and INFO into DBSIZE.
    if (!is_passed_on(rule.kind) || rule.name == "flushall") continue;
    // A container without a sub-command is an error, except COMMAND, and would allow all of them.
    if (rule.shape == CommandShape::kContainer && rule.arity != -1) continue;
    rules.push_back("+" + std::string(rule.name));
  }
}

}  // namespace

std::vector<std::string> tenant_acl_rules(TenantId tenant, uint32_t server_version) {
  Words rules = {"~*", "resetchannels", "&" + channel_prefix(tenant) + "*", "-@all"};
  add_passed_on_commands(rules, server_version);
  return rules;
}

std::vector<std::string> door_acl_rules() {
  return {"resetkeys", "resetchannels", "-@all", "+auth", "+hello", "+select", "+info"};
}

// All channels: Redis compares what is asked for in PSUBSCRIBE with the rule letter by letter.
std::vector<std::string> subscriber_acl_rules() {
  return {"resetkeys",   "allchannels", "-@all",        "+ping",         "+subscribe",
          "+psubscribe", "+ssubscribe", "+unsubscribe", "+punsubscribe", "+sunsubscribe"};
}

Result<> provision_redis(const CacheBackend& backend, const CacheInstance& instance,
                         const RedisAdministrator& administrator,
                         const std::vector<Tenant>& tenants) {
  auto opened = open_as_administrator(instance.endpoints.front(), administrator);
  if (!opened) return std::unexpected(opened.error());
  redis::Connection& connection = *opened;
  const auto databases = count_databases(connection);
  if (!databases) return std::unexpected(databases.error());
  if (auto valid = check_databases(tenants, *databases); !valid) return valid;
  const auto version = server_version(connection);
  if (!version) return std::unexpected(version.error());

  std::vector<Words> commands = {
      set_user(backend.door_user, backend.door_password, backend.previous_door_password,
               door_acl_rules()),
      set_user(std::string(kSubscriberUser), subscriber_password(backend.tenant_password),
               previous_of(backend, &subscriber_password), subscriber_acl_rules())};
  std::set<std::string> wanted;
  for (const Tenant& tenant : tenants) {
    const std::string user = tenant_user(tenant.id);
    wanted.insert(user);
    const auto password = [&](const Secret& key) { return tenant_user_password(key, tenant.id); };
    commands.push_back(set_user(user, password(backend.tenant_password),
                                previous_of(backend, password),
                                tenant_acl_rules(tenant.id, *version)));
  }
  commands.push_back({"CONFIG", "SET", "client-output-buffer-limit", kOutputLimits});
  commands.push_back({"ACL", "SETUSER", "default", "off"});
  for (const Words& words : commands) {
    if (auto done = connection.expect_ok(words); !done) return done;
  }
  if (auto removed = remove_old_tenants(connection, wanted); !removed) return removed;
  return save_users(connection);
}

}  // namespace partywall::cache
