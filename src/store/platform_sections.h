#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/tls_settings.h"
#include "base/yaml_map.h"
#include "store/control_store_options.h"
#include "store/file_keys.h"
#include "store/file_loader.h"
#include "store/node_settings.h"
#include "tenancy/directory.h"

// Inside of store/platform_file.cc: one function per section of the file. They run in this order,
// so that a later one can check the names of an earlier one, wherever the sections are in the file.
namespace partywall::store {

void read_node(YamlMap& file, FileLoader& files, NodeSettings& node);  // node, listen, doors
void read_control_store(YamlMap& file, FileLoader& files,
                        std::optional<ControlStoreOptions>& options);  // control_store, directory
void read_identity(YamlMap& file, FileLoader& files, DirectoryData& data);    // identity
void read_tiers(YamlMap& file, std::vector<Tier>& tiers);                     // tiers
void read_cells(YamlMap& file, FileLoader& files, std::vector<Cell>& cells);  // cells
void read_cluster(YamlMap& file, FileLoader& files, const std::vector<Cell>& cells,
                  NodeSettings& node);                                     // cluster
void read_routes(YamlMap& file, DirectoryData& data);                      // routes
void read_tenants(YamlMap& file, FileLoader& files, DirectoryData& data);  // tenants
void read_logins(YamlMap& file, FileLoader& files, DirectoryData& data);   // logins

// The keys that a tier and a tenant's overrides share; what is absent stays as it is.
void read_terms(YamlMap& map, Limits& limits, AlarmThresholds& alarms, uint32_t& weight);

// `address` and `port`, or a unix socket's path as the address. True: both were there and right.
bool read_endpoint(YamlMap& map, Endpoint& endpoint, uint16_t least_port,
                   Need need = Need::kRequired);

// `tls` of servers that a node connects to.
[[nodiscard]] TlsClientSettings read_client_tls(YamlMap& map, FileLoader& files);

// A cell's `cache`.
void read_cache(YamlMap& map, FileLoader& files, CacheBackend& cache);

// `verifier` or `verifier_file`; reports both, none and what is not a verifier.
void read_verifier(YamlMap& map, FileLoader& files, std::string& verifier);

// A PostgreSQL name that needs no quotes: 1 to `most` of a-z 0-9 '_', not starting with a digit.
void check_identifier(YamlMap& map, std::string_view key, std::string_view name, size_t most);

// `version`, of this format: the only one there is, if it is said.
void read_version(YamlMap& file);

// One item of `identity.issuers`.
void read_issuer(YamlMap& map, FileLoader& files, std::vector<Issuer>& issuers);

// `address`, `port` and `tls` of something that listens.
void read_listener(YamlMap& map, FileLoader& files, std::optional<ListenSettings>& listener);

// "; did you mean …" for a name that is none of `items`.
template <class Item>
std::string suggest_name(std::string_view name, const std::vector<Item>& items,
                         std::string Item::* member) {
  std::vector<std::string_view> names;
  names.reserve(items.size());
  for (const Item& item : items) names.push_back(item.*member);
  return suggestion(name, names);
}

}  // namespace partywall::store
