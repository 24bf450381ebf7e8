#include "store/control/cell_document.h"

#include <algorithm>
#include <array>

#include "store/control/json_fields.h"
#include "store/control/sealed_text.h"

namespace partywall::store {
namespace {

// The one list of a cell's secrets.
struct CellSecret {
  std::string_view name;
  Secret& (*of)(Cell&);
};
constexpr std::array<CellSecret, 10> kSecrets = {{
    {"sql.slots.password", [](Cell& cell) -> Secret& { return cell.sql.slots.password; }},
    {"sql.register_key", [](Cell& cell) -> Secret& { return cell.sql.register_key; }},
    {"sql.owner_password", [](Cell& cell) -> Secret& { return cell.sql.owner_password; }},
    {"sql.provisioner_password",
     [](Cell& cell) -> Secret& { return cell.sql.provisioner_password; }},
    {"cache.door_password", [](Cell& cell) -> Secret& { return cell.cache.door_password; }},
    {"cache.tenant_password", [](Cell& cell) -> Secret& { return cell.cache.tenant_password; }},
    {"cache.previous_door_password",
     [](Cell& cell) -> Secret& { return cell.cache.previous_door_password; }},
    {"cache.previous_tenant_password",
     [](Cell& cell) -> Secret& { return cell.cache.previous_tenant_password; }},
    {"cache.sentinel_password", [](Cell& cell) -> Secret& { return cell.cache.sentinel_password; }},
    {"cache.administrator_password",
     [](Cell& cell) -> Secret& { return cell.cache.administrator_password; }},
}};

std::string purpose_of(const Cell& cell, std::string_view name) {
  return fmt::format("cell {} {}", cell.name, name);
}

JsonValue text(std::string_view value) { return JsonValue(std::string(value)); }
JsonValue number(uint64_t value) { return JsonValue(value); }
JsonValue milliseconds_of(Duration duration) {
  return JsonValue(int64_t{std::chrono::duration_cast<milliseconds>(duration).count()});
}

JsonValue sql_parts(const SqlBackend& sql) {
  return JsonValue(JsonObject{{"address", text(sql.endpoint.address)},
                              {"port", number(sql.endpoint.port)},
                              {"database", text(sql.database)},
                              {"slots", JsonValue(JsonObject{{"prefix", text(sql.slots.prefix)},
                                                             {"count", number(sql.slots.count)}})},
                              {"register_key_id", number(sql.register_key_id)},
                              {"allow_temp", JsonValue(sql.allow_temp)},
                              {"owner_role", text(sql.owner_role)},
                              {"provisioner_role", text(sql.provisioner_role)}});
}

constexpr std::array<std::pair<std::string_view, CacheTopology>, 3> kTopologies = {
    {{"single", CacheTopology::kSingle},
     {"sentinel", CacheTopology::kSentinel},
     {"cluster", CacheTopology::kCluster}}};

constexpr std::array<std::pair<std::string_view, CacheMode>, 2> kCacheModes = {
    {{"database", CacheMode::kDatabase}, {"prefix", CacheMode::kPrefix}}};

JsonValue cache_instance_parts(const CacheInstance& instance) {
  JsonArray endpoints;
  for (const Endpoint& endpoint : instance.endpoints) {
    endpoints.emplace_back(
        JsonObject{{"address", text(endpoint.address)}, {"port", number(endpoint.port)}});
  }
  const auto topology = std::ranges::find(kTopologies, instance.topology,
                                          [](const auto& entry) { return entry.second; });
  return JsonValue(JsonObject{{"name", text(instance.name)},
                              {"topology", text(topology->first)},
                              {"endpoints", JsonValue(std::move(endpoints))},
                              {"primary_name", text(instance.primary_name)}});
}

JsonValue function_parts(const std::vector<CacheFunctionLibrary>& libraries) {
  JsonArray parts;
  for (const CacheFunctionLibrary& library : libraries) {
    JsonArray functions;
    for (const std::string& function : library.functions)
      functions.emplace_back(JsonObject{{"name", text(function)}});
    parts.emplace_back(JsonObject{{"library", text(library.name)},
                                  {"functions", JsonValue(std::move(functions))}});
  }
  return JsonValue(std::move(parts));
}

JsonValue cache_parts(const CacheBackend& cache) {
  JsonArray instances;
  for (const CacheInstance& instance : cache.instances) {
    instances.push_back(cache_instance_parts(instance));
  }
  const auto mode =
      std::ranges::find(kCacheModes, cache.mode, [](const auto& entry) { return entry.second; });
  JsonObject parts{{"instances", JsonValue(std::move(instances))},
                   {"mode", text(mode->first)},
                   {"door_user", text(cache.door_user)},
                   {"sentinel_user", text(cache.sentinel_user)},
                   {"administrator", text(cache.administrator)},
                   {"keyspace_events", JsonValue(cache.keyspace_events)},
                   {"functions", function_parts(cache.functions)}};
  if (cache.tls) {
    parts.push_back(
        {"tls", JsonValue(JsonObject{{"ca_file", text(cache.tls->ca_file)},
                                     {"server_name", text(cache.tls->server_name)},
                                     {"certificate_file", text(cache.tls->certificate_file)},
                                     {"private_key_file", text(cache.tls->private_key_file)}})});
  }
  return JsonValue(std::move(parts));
}

JsonValue pool_parts(const Pool& pool) {
  JsonArray instances;
  for (const Instance& instance : pool.instances) {
    instances.emplace_back(JsonObject{{"id", text(instance.id)},
                                      {"address", text(instance.endpoint.address)},
                                      {"port", number(instance.endpoint.port)},
                                      {"weight", number(instance.weight)}});
  }
  return JsonValue(JsonObject{
      {"name", text(pool.name)},
      {"provided", JsonValue(pool.is_provided)},
      {"health", JsonValue(JsonObject{{"path", text(pool.health.path)},
                                      {"interval_ms", milliseconds_of(pool.health.interval)},
                                      {"timeout_ms", milliseconds_of(pool.health.timeout)},
                                      {"rise", number(pool.health.rise)},
                                      {"fall", number(pool.health.fall)}})},
      {"instances", JsonValue(std::move(instances))}});
}

Endpoint read_endpoint(JsonFields& fields) {
  Endpoint endpoint{.address = fields.text("address"), .port = fields.number<uint16_t>("port")};
  return endpoint;
}

Result<> read_sql(const JsonValue& value, SqlBackend& sql) {
  JsonFields fields(value, "sql");
  sql.endpoint = read_endpoint(fields);
  sql.database = fields.text("database");
  if (const JsonValue* const slots = fields.optional_value("slots")) {
    JsonFields inner(*slots, "slots");
    sql.slots.prefix = inner.text("prefix");
    sql.slots.count = inner.number<uint32_t>("count");
    fields.take(inner.result());
  }
  sql.register_key_id = fields.number<uint32_t>("register_key_id");
  sql.allow_temp = fields.flag("allow_temp");
  sql.owner_role = fields.text("owner_role");
  sql.provisioner_role = fields.optional_text("provisioner_role");
  return fields.result();
}

Result<CacheInstance> read_cache_instance(const JsonValue& value) {
  JsonFields fields(value, "cache instance");
  CacheInstance instance{.name = fields.text("name")};
  const std::string word = fields.text("topology");
  const auto topology =
      std::ranges::find(kTopologies, word, [](const auto& entry) { return entry.first; });
  if (topology == kTopologies.end()) {
    return fail(ErrorKind::kInvalid, "cache instance '{}': no topology '{}'", instance.name, word);
  }
  instance.topology = topology->second;
  fields.each("endpoints", [&](const JsonValue& element) -> Result<> {
    JsonFields inner(element, "endpoint");
    instance.endpoints.push_back(read_endpoint(inner));
    return inner.result();
  });
  instance.primary_name = fields.optional_text("primary_name");
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return instance;
}

Result<> read_tls(const JsonValue& value, std::optional<TlsClientSettings>& tls) {
  JsonFields fields(value, "tls");
  tls = TlsClientSettings{.ca_file = fields.text("ca_file"),
                          .server_name = fields.text("server_name"),
                          .certificate_file = fields.text("certificate_file"),
                          .private_key_file = fields.text("private_key_file")};
  return fields.result();
}

Result<> read_function_library(const JsonValue& value, CacheBackend& cache) {
  JsonFields fields(value, "function library");
  CacheFunctionLibrary library{.name = fields.text("library"), .functions = {}};
  fields.each("functions", [&](const JsonValue& element) -> Result<> {
    JsonFields inner(element, "function");
    library.functions.push_back(inner.text("name"));
    return inner.result();
  });
  cache.functions.push_back(std::move(library));
  return fields.result();
}

Result<> read_cache(const JsonValue& value, CacheBackend& cache) {
  JsonFields fields(value, "cache");
  fields.each("instances", [&](const JsonValue& element) -> Result<> {
    auto instance = read_cache_instance(element);
    if (!instance) return std::unexpected(instance.error());
    cache.instances.push_back(*std::move(instance));
    return {};
  });
  const std::string word = fields.text("mode");
  const auto mode =
      std::ranges::find(kCacheModes, word, [](const auto& entry) { return entry.first; });
  if (mode == kCacheModes.end()) return fail(ErrorKind::kInvalid, "cache: no mode '{}'", word);
  cache.mode = mode->second;
  cache.door_user = fields.text("door_user");
  cache.sentinel_user = fields.optional_text("sentinel_user");
  cache.administrator = fields.optional_text("administrator");
  cache.keyspace_events =
      fields.optional_value("keyspace_events") != nullptr && fields.flag("keyspace_events");
  if (fields.optional_value("functions") != nullptr) {
    fields.each("functions", [&](const JsonValue& element) -> Result<> {
      return read_function_library(element, cache);
    });
  }
  if (const JsonValue* const tls = fields.optional_value("tls"))
    fields.take(read_tls(*tls, cache.tls));
  return fields.result();
}

Result<> read_health(const JsonValue& value, HealthCheck& health) {
  JsonFields fields(value, "health");
  health.path = fields.text("path");
  health.interval = fields.duration_ms("interval_ms");
  health.timeout = fields.duration_ms("timeout_ms");
  health.rise = fields.number<uint32_t>("rise");
  health.fall = fields.number<uint32_t>("fall");
  return fields.result();
}

Result<Pool> read_pool(const JsonValue& value) {
  JsonFields fields(value, "pool");
  Pool pool{.name = fields.text("name"), .is_provided = fields.flag("provided")};
  if (const JsonValue* const health = fields.optional_value("health"))
    fields.take(read_health(*health, pool.health));
  fields.each("instances", [&](const JsonValue& element) -> Result<> {
    JsonFields inner(element, "instance");
    pool.instances.push_back({.id = inner.text("id"),
                              .endpoint = read_endpoint(inner),
                              .weight = inner.number<uint32_t>("weight")});
    return inner.result();
  });
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return pool;
}

Result<> read_parts(const JsonValue& value, Cell& cell) {
  JsonFields fields(value, "parts");
  if (const JsonValue* const sql = fields.optional_value("sql"))
    fields.take(read_sql(*sql, cell.sql));
  if (const JsonValue* const cache = fields.optional_value("cache"))
    fields.take(read_cache(*cache, cell.cache));
  fields.each("pools", [&](const JsonValue& element) -> Result<> {
    auto pool = read_pool(element);
    if (!pool) return std::unexpected(pool.error());
    cell.pools.push_back(*std::move(pool));
    return {};
  });
  return fields.result();
}

Result<> open_secrets(const JsonValue& sealed, const SealingKey& key, Cell& cell) {
  for (const CellSecret& secret : kSecrets) {
    const std::string* const text = sealed.find_string(secret.name);
    if (!text) continue;
    auto opened = open_text(key, purpose_of(cell, secret.name), *text);
    if (!opened) return std::unexpected(opened.error());
    secret.of(cell) = *std::move(opened);
  }
  return {};
}

}  // namespace

std::string_view cell_document_sql() {
  return R"sql(
json_build_object('name', t.name, 'kind', t.kind, 'region', t.region, 'state', t.state,
  'max_tenants', t.max_tenants, 'parts', t.parts, 'secrets', t.sealed_secrets,
  'version', t.version)::text)sql";
}

JsonValue cell_parts(const Cell& cell) {
  JsonObject parts;
  if (!cell.sql.endpoint.address.empty()) parts.push_back({"sql", sql_parts(cell.sql)});
  if (cell.cache.present()) parts.push_back({"cache", cache_parts(cell.cache)});
  JsonArray pools;
  for (const Pool& pool : cell.pools) pools.push_back(pool_parts(pool));
  parts.push_back({"pools", JsonValue(std::move(pools))});
  return JsonValue(std::move(parts));
}

JsonValue sealed_cell_secrets(const Cell& cell, const SealingKey& key, Random& random) {
  Cell copy = cell;
  JsonObject sealed;
  for (const CellSecret& secret : kSecrets) {
    const Secret& value = secret.of(copy);
    if (value.empty()) continue;
    sealed.push_back(
        {std::string(secret.name),
         JsonValue(seal_text(key, purpose_of(cell, secret.name), value.reveal(), random))});
  }
  return JsonValue(std::move(sealed));
}

Result<Cell> read_cell_parts(const JsonValue& parts) {
  Cell cell;
  if (auto read = read_parts(parts, cell); !read) return std::unexpected(read.error());
  return cell;
}

std::span<const std::string_view> cell_secret_names() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, kSecrets.size()> names{};
    std::ranges::transform(kSecrets, names.begin(), &CellSecret::name);
    return names;
  }();
  return kNames;
}

bool is_hexadecimal_secret(std::string_view name) { return name == "sql.register_key"; }

Secret* find_cell_secret(Cell& cell, std::string_view name) {
  const auto found = std::ranges::find(kSecrets, name, &CellSecret::name);
  return found == kSecrets.end() ? nullptr : &found->of(cell);
}

Result<CellRecord> read_cell_document(const JsonValue& document, const SealingKey& key) {
  JsonFields fields(document, "cell");
  CellRecord record;
  Cell& cell = record.cell;
  cell.name = fields.text("name");
  cell.kind = fields.text("kind") == "dedicated" ? CellKind::kDedicated : CellKind::kShared;
  cell.region = fields.text("region");
  record.state = fields.text("state");
  record.max_tenants = fields.number<uint32_t>("max_tenants");
  record.version = fields.number<uint64_t>("version");
  record.tenants = fields.optional_number<uint32_t>("tenants").value_or(0);
  if (const JsonValue* const parts = fields.optional_value("parts"))
    fields.take(read_parts(*parts, cell));
  if (const JsonValue* const secrets = fields.optional_value("secrets"))
    fields.take(open_secrets(*secrets, key, cell));
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

}  // namespace partywall::store
