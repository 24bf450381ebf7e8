#include "cache/provision_servers.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace partywall::cache {
namespace {

std::unexpected<Error> not_understood(std::string_view question, const redis::Reply& reply) {
  return fail(ErrorKind::kUnavailable, "{}: {}", question, redis::to_string(reply));
}

Result<Endpoint> endpoint_of(const std::string& address, const std::string& port) {
  if (auto valid = check_ip_address(address); !valid) {
    return fail(ErrorKind::kInvalid,
                "a Sentinel announces '{}': names are not looked up; let it announce addresses "
                "(sentinel resolve-hostnames no)",
                address);
  }
  const auto number = parse_integer<uint16_t>(port, 1);
  if (!number) return std::unexpected(number.error());
  return Endpoint{address, *number};
}

Result<Endpoint> ask_primary(redis::Connection& sentinel, const std::string& name) {
  const auto reply = sentinel.command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name});
  if (!reply) return std::unexpected(reply.error());
  if (reply->items.size() != 2) {
    return fail(ErrorKind::kNotFound, "the Sentinels know no primary '{}': {}", name,
                redis::to_string(*reply));
  }
  return endpoint_of(reply->items[0].text, reply->items[1].text);
}

// Names and values in turn.
Result<Endpoint> endpoint_in(const redis::Reply& fields) {
  std::map<std::string, std::string> values;
  for (size_t i = 0; i + 1 < fields.items.size(); i += 2)
    values[fields.items[i].text] = fields.items[i + 1].text;
  return endpoint_of(values["ip"], values["port"]);
}

Result<std::vector<Endpoint>> servers_of_sentinels(const CacheBackend& backend,
                                                   const CacheInstance& instance) {
  auto sentinels = open_sentinels(backend, instance);
  if (!sentinels) return std::unexpected(sentinels.error());
  redis::Connection& sentinel = sentinels->front();
  auto primary = ask_primary(sentinel, instance.primary_name);
  if (!primary) return std::unexpected(primary.error());
  std::vector<Endpoint> servers = {*std::move(primary)};
  const auto replicas = sentinel.command({"SENTINEL", "REPLICAS", instance.primary_name});
  if (!replicas) return std::unexpected(replicas.error());
  if (replicas->is_error()) return not_understood("SENTINEL REPLICAS", *replicas);
  for (const redis::Reply& fields : replicas->items) {
    auto replica = endpoint_in(fields);
    if (!replica) return std::unexpected(replica.error());
    servers.push_back(*std::move(replica));
  }
  return servers;
}

Result<SlotMap> ask_cluster(const CacheBackend& backend, const CacheInstance& instance,
                            const RedisAdministrator& administrator) {
  Result<SlotMap> last = fail(ErrorKind::kUnavailable, "the cluster has no nodes");
  for (const Endpoint& node : instance.endpoints) {
    auto connection = open_as_administrator(backend, node, administrator);
    if (!connection) {
      last = std::unexpected(connection.error());
      continue;
    }
    const auto reply = connection->command({"CLUSTER", "NODES"});
    if (!reply) return std::unexpected(reply.error());
    auto slots = SlotMap::parse(reply->text, node);
    if (reply->is_error() || !slots) return not_understood("CLUSTER NODES", *reply);
    return *std::move(slots);
  }
  return last;
}

redis::ConnectionSettings settings_for(const CacheBackend& backend, const Endpoint& server) {
  return {.endpoint = server, .tls = backend.tls};
}

Result<Endpoint> find_primary(const CacheBackend& backend, const CacheInstance& instance,
                              const RedisAdministrator& administrator, HashSlot slot) {
  if (instance.topology == CacheTopology::kSingle) return instance.endpoints.front();
  if (instance.topology == CacheTopology::kSentinel) {
    auto sentinels = open_sentinels(backend, instance);
    if (!sentinels) return std::unexpected(sentinels.error());
    return ask_primary(sentinels->front(), instance.primary_name);
  }
  const auto slots = ask_cluster(backend, instance, administrator);
  if (!slots) return std::unexpected(slots.error());
  const Endpoint* node = slots->find(slot);
  if (node != nullptr) return *node;
  return fail(ErrorKind::kUnavailable, "no node of the cluster has slot {}", slot);
}

}  // namespace

Result<redis::Connection> open_as_administrator(const CacheBackend& backend, const Endpoint& server,
                                                const RedisAdministrator& administrator) {
  redis::ConnectionSettings settings = settings_for(backend, server);
  settings.user = administrator.user;
  settings.password = administrator.password;
  auto connection = redis::Connection::open(settings);
  if (connection || connection.error().kind != ErrorKind::kDenied) return connection;
  // A fresh Redis: everybody is the default user, who may do everything.
  auto fresh = redis::Connection::open(settings_for(backend, server));
  if (!fresh) return connection;
  const auto made =
      fresh->expect_ok({"ACL", "SETUSER", administrator.user, "reset", "on",
                        ">" + std::string(administrator.password.reveal()), "~*", "&*", "+@all"});
  if (!made) return connection;
  return redis::Connection::open(settings);
}

Result<std::vector<Endpoint>> list_servers(const CacheBackend& backend,
                                           const CacheInstance& instance,
                                           const RedisAdministrator& administrator) {
  switch (instance.topology) {
    case CacheTopology::kSingle:
      return instance.endpoints;
    case CacheTopology::kSentinel:
      return servers_of_sentinels(backend, instance);
    case CacheTopology::kCluster:
      break;
  }
  const auto slots = ask_cluster(backend, instance, administrator);
  if (!slots) return std::unexpected(slots.error());
  return slots->nodes();
}

Result<redis::Connection> open_primary(const CacheBackend& backend, const CacheInstance& instance,
                                       const RedisAdministrator& administrator, HashSlot slot) {
  const auto server = find_primary(backend, instance, administrator, slot);
  if (!server) return std::unexpected(server.error());
  auto connection = open_as_administrator(backend, *server, administrator);
  if (!connection) return connection;
  const auto role = connection->command({"ROLE"});
  if (!role) return std::unexpected(role.error());
  if (!role->items.empty() && role->items.front().text == "master") return connection;
  return fail(ErrorKind::kUnavailable, "Redis at {} is not the primary: {}", server->to_string(),
              redis::to_string(*role));
}

Result<std::vector<redis::Connection>> open_sentinels(const CacheBackend& backend,
                                                      const CacheInstance& instance) {
  std::vector<redis::Connection> open;
  Error last{ErrorKind::kUnavailable, "there are no Sentinels"};
  for (const Endpoint& sentinel : instance.endpoints) {
    redis::ConnectionSettings settings = settings_for(backend, sentinel);
    if (!backend.sentinel_password.empty()) {
      settings.user = backend.sentinel_user.empty() ? "default" : backend.sentinel_user;
      settings.password = backend.sentinel_password;
    }
    auto connection = redis::Connection::open(settings);
    if (connection) {
      open.push_back(*std::move(connection));
    } else {
      last = connection.error();
    }
  }
  if (open.empty()) return std::unexpected(std::move(last));
  return open;
}

}  // namespace partywall::cache
