#include "store/control_file.h"

#include "base/address_block.h"
#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

bool is_loopback(const Endpoint& endpoint) {
  return endpoint.is_unix() || is_loopback_address(endpoint.address);
}

void read_api(YamlMap& map, FileLoader& files, ApiOptions& api) {
  map.section("listen", "where it listens; absent: 127.0.0.1 port 9190", [&](YamlMap& inside) {
    std::optional<ListenSettings> listen;
    read_listener(inside, files, listen);
    if (listen) api.listen = *std::move(listen);
    // Its tokens may change everything: they never cross a network in the clear.
    if (!inside.describes() && !api.listen.tls && !is_loopback(api.listen.endpoint))
      inside.error("address", "an address that is not of this machine needs 'tls'");
  });
  map.list("issuers", "issuers of tokens for people (OpenID Connect)",
           [&](YamlMap& issuer) { read_issuer(issuer, files, api.issuers); });
  map.optional("grace_period", api.grace_period, {seconds(0), hours(24 * 3'650)},
               "from a tenant's offboarding to the first moment that its data may be erased");
  map.optional("cache_databases", api.cache_databases, {1, 1'000'000},
               "logical databases of one Redis (its setting `databases`)");
  map.optional("calls_per_minute", api.calls_per_minute, {1, 1'000'000},
               "calls that one caller may make");
}

// The same section as in a platform file; here it is required.
void read_store(YamlMap& file, FileLoader& files, std::optional<ControlStoreSettings>& store) {
  std::optional<ControlStoreOptions> options;
  read_control_store(file, files, options);
  file.require("control_store");
  if (!options || options->node_key.empty()) return;
  auto settings = to_settings(*options);
  if (!settings) return file.error("control_store", "{}", settings.error().message);
  store.emplace(*std::move(settings));
}

void read_operations(YamlMap& map, OperationOptions& operations) {
  map.optional("run", operations.run,
               "this instance competes for the lease and, when it has it, provisions tenants and "
               "ends what has run out; false: it serves the API only");
  map.optional("lease", operations.lease, {seconds(1), minutes(5)},
               "another instance leads so long after this one was cut off");
}

}  // namespace

std::optional<ControlFile> read_control_file(std::string_view text, FileLoader& files,
                                             Diagnostics& diagnostics) {
  const auto root = parse_yaml(text, diagnostics);
  if (!root) return std::nullopt;
  ControlFile control;
  read_yaml(*root, diagnostics, [&](YamlMap& file) {
    read_version(file);
    read_store(file, files, control.store);
    file.section("api", "the admin API", [&](YamlMap& map) { read_api(map, files, control.api); });
    file.section("operations", "what the leading instance does",
                 [&](YamlMap& map) { read_operations(map, control.operations); });
  });
  if (diagnostics.has_errors()) return std::nullopt;
  return control;
}

std::optional<ControlFile> load_control_file(std::string_view name, FileLoader& files,
                                             Diagnostics& diagnostics) {
  const auto file = files.load(name);
  if (!file) {
    diagnostics.error({}, "{}", file.error().message);
    return std::nullopt;
  }
  return read_control_file(file->content, files, diagnostics);
}

}  // namespace partywall::store
