#include <algorithm>

#include "store/file_keys.h"
#include "store/platform_sections.h"

// A cell's `cache`: where its Redis is, and how the door logs in there.
namespace partywall::store {
namespace {

constexpr Choice<CacheMode> kCacheModes[] = {{"database", CacheMode::kDatabase},
                                             {"prefix", CacheMode::kPrefix}};

void read_endpoints(YamlMap& map, std::string_view key, std::vector<Endpoint>& endpoints,
                    std::string_view help) {
  map.values(key, endpoints, help);
  if (map.describes()) return;
  map.require(key);
  if (map.has(key) && endpoints.empty()) map.error(key, "'{}' is empty", key);
}

void read_sentinel(YamlMap& map, CacheInstance& instance) {
  map.required("primary", instance.primary_name,
               "what the Sentinels call it (sentinel monitor <name> …)");
  read_endpoints(map, "sentinels", instance.endpoints, "the Sentinels; one that answers is enough");
}

// One of: address and port, sentinel, cluster.
void read_place(YamlMap& map, CacheInstance& instance) {
  Endpoint endpoint;
  const bool single = read_endpoint(map, endpoint, 1, Need::kOptional);
  const bool sentinel =
      map.section("sentinel", "a primary with replicas that Sentinels watch, instead of an address",
                  [&](YamlMap& inside) { read_sentinel(inside, instance); });
  const bool cluster = map.section(
      "cluster", "a Redis Cluster, instead of an address; it needs prefix mode",
      [&](YamlMap& inside) {
        read_endpoints(inside, "nodes", instance.endpoints,
                       "nodes that are asked for all the others; one that answers is enough");
      });
  if (map.describes()) return;
  if (int{map.has("address")} + int{sentinel} + int{cluster} != 1) {
    return map.error("", "exactly one of 'address', 'sentinel' and 'cluster' is needed{}",
                     map.path().empty() ? "" : " in " + map.path());
  }
  if (sentinel) instance.topology = CacheTopology::kSentinel;
  if (cluster) instance.topology = CacheTopology::kCluster;
  if (single) instance.endpoints = {endpoint};
}

void read_instances(YamlMap& map, CacheBackend& cache) {
  map.list("instances",
           "several of them, for more tenants than one Redis holds, instead of address, "
           "sentinel or cluster",
           [&](YamlMap& inside) {
             CacheInstance instance;
             inside.required("name", instance.name, "what tenants name in `cache_instance`");
             if (std::ranges::find(cache.instances, instance.name, &CacheInstance::name) !=
                 cache.instances.end()) {
               inside.error("name", "there is an instance '{}' already", instance.name);
             }
             read_place(inside, instance);
             cache.instances.push_back(std::move(instance));
           });
}

void read_cache_logins(YamlMap& map, FileLoader& files, CacheBackend& cache) {
  map.required("door_user", cache.door_user,
               "Redis user of the door: it may authenticate and select a database");
  read_password_file(map, files, "door_password_file", cache.door_password, "its password");
  read_password_file(map, files, "tenant_password_file", cache.tenant_password,
                     "secret from which the password of each tenant's Redis user is derived");
  read_password_file(map, files, "previous_door_password_file", cache.previous_door_password,
                     "while it is rotated: `partywall cache provision` makes Redis take both",
                     Need::kOptional);
  read_password_file(map, files, "previous_tenant_password_file", cache.previous_tenant_password,
                     "the same for the tenants' users", Need::kOptional);
  map.section("administrator",
              "given, the door restores the users of a Redis that has lost them by itself",
              [&](YamlMap& inside) {
                inside.required("user", cache.administrator, "not `default`");
                if (cache.administrator == "default")
                  inside.error("user", "'default' is switched off in a Redis that tenants share");
                read_password_file(inside, files, "password_file", cache.administrator_password,
                                   "its password");
              });
  map.section("sentinel_login", "how to log in to the Sentinels; absent: they want no login",
              [&](YamlMap& inside) {
                inside.optional("user", cache.sentinel_user, "absent: their default user");
                read_password_file(inside, files, "password_file", cache.sentinel_password,
                                   "its password");
              });
}

void read_function_library(YamlMap& map, CacheBackend& cache) {
  CacheFunctionLibrary library;
  map.required("library", library.name, "its name in Redis");
  map.required_list("functions", "what tenants may call of it", [&](YamlMap& function) {
    function.required("name", library.functions.emplace_back(), "as FCALL names it");
  });
  cache.functions.push_back(std::move(library));
}

// What its Redis offer beyond the usual.
void read_features(YamlMap& map, CacheBackend& cache) {
  map.optional(
      "keyspace_events", cache.keyspace_events,
      "provisioning has Redis tell subscribers what happens to keys; every write then costs "
      "Redis more");
  map.list("functions",
           "libraries that the operator has loaded (FUNCTION LOAD) for tenants to call; they run "
           "with the rights of the tenant that calls",
           [&](YamlMap& library) { read_function_library(library, cache); });
}

}  // namespace

void read_cache(YamlMap& map, FileLoader& files, CacheBackend& cache) {
  CacheInstance only{.name = "main"};
  const bool several = map.has("instances");
  if (map.describes() || !several) read_place(map, only);
  read_instances(map, cache);
  if (!several && !map.describes()) cache.instances = {std::move(only)};
  map.optional_choice("mode", cache.mode, kCacheModes,
                      "how its tenants are told apart: each has a database, or their keys have "
                      "prefixes");
  map.section("tls", "to the servers and the Sentinels; absent: plain",
              [&](YamlMap& inside) { cache.tls = read_client_tls(inside, files); });
  const bool has_cluster = std::ranges::find(cache.instances, CacheTopology::kCluster,
                                             &CacheInstance::topology) != cache.instances.end();
  if (has_cluster && cache.mode != CacheMode::kPrefix) {
    map.error("mode", "a Redis Cluster has one database: its tenants need 'mode: prefix'");
  }
  read_cache_logins(map, files, cache);
  read_features(map, cache);
}

}  // namespace partywall::store
