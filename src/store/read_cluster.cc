#include "store/file_keys.h"
#include "store/platform_sections.h"
#include "tenancy/cache_address.h"

// What the nodes of one platform share.
namespace partywall::store {
namespace {

// A tenant that could reach the store could give itself what it likes, and a tenant that fills or
// blocks the Redis of its cell would take away everybody's limits.
void check_apart(YamlMap& map, const LimitStoreOptions& store, const std::vector<Cell>& cells) {
  const Cell* same = cell_with_cache_at(cells, store.endpoint);
  if (same == nullptr) return;
  map.error("address",
            "'address': {} is the Redis of cell '{}', which tenants reach; the limits store needs "
            "a Redis of its own",
            store.endpoint.to_string(), same->name);
}

void read_limit_store(YamlMap& map, FileLoader& files, const std::vector<Cell>& cells,
                      std::optional<LimitStoreOptions>& into) {
  LimitStoreOptions store;
  if (read_endpoint(map, store.endpoint, 1)) check_apart(map, store, cells);
  map.section("login", "how nodes log in there; absent: not at all", [&](YamlMap& login) {
    login.required("user", store.user, "Redis user of the nodes");
    read_password_file(login, files, "password_file", store.password, "its password");
  });
  if (!map.has("login") && !map.describes()) {
    map.warning("",
                "whoever reaches the limits store can change the limits of every tenant: give "
                "it a 'login'");
  }
  map.section("tls", "encrypts with TLS 1.2 or 1.3; absent: plain",
              [&](YamlMap& tls) { store.tls = read_client_tls(tls, files); });
  constexpr Range<Duration> kPatience = {milliseconds(10), minutes(1)};
  map.optional("connect_timeout", store.connect_timeout, kPatience, "to connect to it");
  map.optional("answer_timeout", store.answer_timeout, kPatience,
               "until it counts as away, and the node goes by its share of each limit");
  into = std::move(store);
}

}  // namespace

void read_cluster(YamlMap& file, FileLoader& files, const std::vector<Cell>& cells,
                  NodeSettings& node) {
  file.section("cluster", "what this node shares with others", [&](YamlMap& map) {
    map.optional("node", node.cluster.node, "name of this node; absent: the host's");
    map.optional("expected_nodes", node.cluster.expected_nodes, {1, 10'000},
                 "nodes that share the limits, until the limits store has said how many there are");
    map.section(
        "limits",
        "the limits store: a Redis that only nodes can reach; without it the limits of a "
        "tenant count for each node by itself",
        [&](YamlMap& store) { read_limit_store(store, files, cells, node.cluster.limits); });
  });
}

}  // namespace partywall::store
