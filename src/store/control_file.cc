#include "store/control_file.h"

#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr uint32_t kVersion = 1;

constexpr Choice<postgres::TlsMode> kTlsModes[] = {{"disable", postgres::TlsMode::kDisable},
                                                   {"prefer", postgres::TlsMode::kPrefer},
                                                   {"require", postgres::TlsMode::kRequire},
                                                   {"verify_full", postgres::TlsMode::kVerifyFull}};

bool is_loopback(const Endpoint& endpoint) {
  return endpoint.is_unix() || endpoint.address.starts_with("127.") || endpoint.address == "::1";
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

}  // namespace

void read_control_store(YamlMap& file, FileLoader& files,
                        std::optional<ControlStoreSettings>& store) {
  file.section("control_store", "the PostgreSQL database of the control store", [&](YamlMap& map) {
    postgres::ConnectionSettings connection{
        .database = "partywall", .user = "partywall", .application_name = "partywall control"};
    Secret node_key;
    read_endpoint(map, connection.endpoint, 1);
    map.optional("database", connection.database, "its name");
    map.optional("user", connection.user, "role that owns the schema");
    read_password_file(map, files, "password_file", connection.password,
                       "file with the role's password");
    map.optional_choice("tls", connection.tls, kTlsModes, "as libpq's sslmode");
    read_key_file(map, files, "node_key_file", SealingKey::kKeyBytes, node_key,
                  "file with the key that secrets in the store are sealed with: the same on every "
                  "node, 64 hexadecimal digits");
    if (map.describes() || node_key.empty()) return;
    auto key = SealingKey::create(std::move(node_key));
    if (!key) return map.error("node_key_file", "{}", key.error().message);
    store.emplace(std::move(connection), *std::move(key));
  });
  file.require("control_store");
}

std::optional<ControlFile> read_control_file(std::string_view text, FileLoader& files,
                                             Diagnostics& diagnostics) {
  const auto root = parse_yaml(text, diagnostics);
  if (!root) return std::nullopt;
  ControlFile control;
  read_yaml(*root, diagnostics, [&](YamlMap& file) {
    uint32_t version = kVersion;
    if (file.optional("version", version, "version of this format") && version != kVersion) {
      file.error("version", "'version' is {}, but this release reads version {}", version,
                 kVersion);
    }
    read_control_store(file, files, control.store);
    file.section("api", "the admin API", [&](YamlMap& map) { read_api(map, files, control.api); });
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
