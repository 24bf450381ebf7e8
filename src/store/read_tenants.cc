#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/hex.h"
#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr Choice<TenantStatus> kStatuses[] = {
    {"requested", TenantStatus::kRequested}, {"provisioning", TenantStatus::kProvisioning},
    {"active", TenantStatus::kActive},       {"read_only", TenantStatus::kReadOnly},
    {"suspended", TenantStatus::kSuspended}, {"offboarding", TenantStatus::kOffboarding},
    {"erasing", TenantStatus::kErasing},     {"erased", TenantStatus::kErased}};

constexpr Choice<CachePlacement> kCachePlacements[] = {{"tagged", CachePlacement::kTagged},
                                                       {"spread", CachePlacement::kSpread}};

class TenantReader {
 public:
  TenantReader(FileLoader& files, DirectoryData& data) : files_(files), data_(data) {}

  void read(YamlMap& map) {
    Tenant tenant;
    read_names(map, tenant);
    read_tier(map, tenant);
    const Cell* const cell = read_placement(map, tenant);
    const std::string redis = read_cache_instance(map, tenant, cell);
    read_cache_database(map, tenant, cell);
    read_cache_tag(map, tenant, cell, redis);
    map.section_like(
        "overrides", "tiers.<name>",
        "what differs from the tier for this tenant (`extends` makes no sense)",
        [&](YamlMap& terms) { read_terms(terms, tenant.limits, tenant.alarms, tenant.weight); });
    claim_cache_databases(map, tenant, cell, redis);
    map.section("sql", "its own login at the sql door, with the slug as the user name",
                [&](YamlMap& sql) { read_sql_login(sql, tenant, cell); });
    map.section("cache", "its own login at the cache door, with the slug as the user name",
                [&](YamlMap& cache) { read_cache_login(cache, tenant, cell); });
    data_.tenants.push_back(std::move(tenant));
  }

 private:
  struct CacheUser {
    CacheMode mode;
    std::string slug;
  };

  // Reports a value that an earlier tenant has too.
  void check_unique(YamlMap& map, std::string_view key, const std::string& value) {
    const auto line = map.where(key).line;
    const auto [first, is_new] = seen_.emplace(fmt::format("{} {}", key, value), line);
    if (!is_new)
      map.error(key, "the {} '{}' is taken by the tenant on line {}", key, value, first->second);
  }

  void read_names(YamlMap& map, Tenant& tenant) {
    if (map.required("slug", tenant.slug,
                     "its name in user names, logs and metrics: 1 to 40 of a-z, 0-9 and '-'")) {
      if (auto valid = check_slug(tenant.slug); !valid)
        map.error("slug", "{}", valid.error().message);
      check_unique(map, "slug", tenant.slug);
    }
    Uuid id;
    if (map.required("id", id,
                     "what it is to everything else; never changes and is never used again")) {
      if (id.is_nil()) map.error("id", "the id of all zeros is no tenant's");
      check_unique(map, "id", id.to_string());
      tenant.id = TenantId(id);
    }
    if (!map.optional("name", tenant.name, "its name for people; absent: the slug"))
      tenant.name = tenant.slug;
    map.optional_choice("status", tenant.status, kStatuses,
                        "`active` and `read_only` tenants are served");
  }

  void read_tier(YamlMap& map, Tenant& tenant) {
    if (!map.required("tier", tenant.tier, "its limits")) return;
    const auto tier = std::ranges::find(data_.tiers, tenant.tier, &Tier::name);
    if (tier == data_.tiers.end()) {
      return map.error("tier", "there is no tier '{}'{}", tenant.tier,
                       suggest_name(tenant.tier, data_.tiers, &Tier::name));
    }
    tenant.limits = tier->limits;
    tenant.alarms = tier->alarms;
    tenant.weight = tier->weight;
  }

  const Cell* read_placement(YamlMap& map, Tenant& tenant) {
    const bool placed = map.required("cell", tenant.cell, "where it is served");
    map.optional("region", tenant.region, "region that its data must stay in; absent: any");
    if (!placed) return nullptr;
    const auto cell = std::ranges::find(data_.cells, tenant.cell, &Cell::name);
    if (cell == data_.cells.end()) {
      map.error("cell", "there is no cell '{}'{}", tenant.cell,
                suggest_name(tenant.cell, data_.cells, &Cell::name));
      return nullptr;
    }
    if (!tenant.region.empty() && tenant.region != cell->region) {
      map.error("region", "the tenant must stay in region '{}', but its cell '{}' is in '{}'",
                tenant.region, cell->name, cell->region);
    }
    if (cell->kind == CellKind::kDedicated) {
      const auto other = std::ranges::find(data_.tenants, tenant.cell, &Tenant::cell);
      if (other != data_.tenants.end()) {
        map.error("cell", "cell '{}' is dedicated and holds tenant '{}' already", cell->name,
                  other->slug);
      }
    }
    return &*cell;
  }

  // Which Redis holds its keys, as text: several cells may be on one. Empty where there is none.
  std::string read_cache_instance(YamlMap& map, Tenant& tenant, const Cell* cell) {
    map.optional("cache_instance", tenant.cache_instance,
                 "which of its cell's cache instances holds its keys; absent: the first");
    if (!cell || !cell->cache.present()) return {};
    const CacheInstance* instance = cell->cache.find_instance(tenant.cache_instance);
    if (instance == nullptr) {
      map.error("cache_instance", "cell '{}' has no cache instance '{}'{}", cell->name,
                tenant.cache_instance,
                suggest_name(tenant.cache_instance, cell->cache.instances, &CacheInstance::name));
      return {};
    }
    if (instance->endpoints.empty()) return {};
    std::string redis =
        fmt::format("{}{}{}", instance->endpoints.front().to_string(),
                    instance->primary_name.empty() ? "" : ", ", instance->primary_name);
    const auto [first, is_new] =
        cache_users_.emplace(redis, CacheUser{cell->cache.mode, tenant.slug});
    if (first->second.mode != cell->cache.mode) {
      map.error(
          "cell",
          "its Redis {} holds tenant '{}' too, and keeps its tenants apart either by databases "
          "or by prefixes, not both",
          redis, first->second.slug);
    }
    return redis;
  }

  void read_cache_database(YamlMap& map, Tenant& tenant, const Cell* cell) {
    std::optional<uint32_t> database;
    map.optional(
        "cache_database", database, {0, 1'000'000},
        "its Redis database, which no other tenant of the same Redis may have; required "
        "where the cell has a cache in database mode. With a `cache.databases` above 1 its "
        "first one: the others follow");
    if (!cell || !cell->cache.present()) return;
    if (cell->cache.mode == CacheMode::kPrefix) {
      if (database)
        map.error("cache_database", "cell '{}' keeps its tenants apart by prefixes, not databases",
                  cell->name);
      return;
    }
    map.require("cache_database");
    if (database) tenant.cache_database = *database;
  }

  // Once it is known how many they are.
  void claim_cache_databases(YamlMap& map, const Tenant& tenant, const Cell* cell,
                             const std::string& redis) {
    const bool has_some = cell && cell->cache.mode == CacheMode::kDatabase && !redis.empty();
    if (!has_some || !map.has("cache_database")) return;
    for (uint32_t i = 0; i < tenant.limits.cache_databases; ++i) {
      const std::string place = fmt::format("{} of {}", tenant.cache_database + i, redis);
      const auto [first, is_new] = cache_databases_.emplace(place, tenant.slug);
      if (is_new) continue;
      return map.error("cache_database", "Redis database {} belongs to tenant '{}' already", place,
                       first->second);
    }
  }

  void read_cache_tag(YamlMap& map, Tenant& tenant, const Cell* cell, const std::string& redis) {
    const bool tagged = map.optional(
        "cache_tag", tenant.cache_tag,
        "in prefix mode: its keys in Redis begin with tenant:{tag} (no other tenant of the same "
        "Redis may have it); absent: its id");
    const bool placed = map.optional_choice(
        "cache_placement", tenant.cache_placement, kCachePlacements,
        "in prefix mode: its keys begin with tenant:{tag}, which puts them in one slot of a Redis "
        "Cluster, or with tenant:tag (not in a cluster)");
    if (tagged) {
      if (auto valid = check_cache_tag(tenant.cache_tag); !valid)
        map.error("cache_tag", "{}", valid.error().message);
    }
    if (!cell || !cell->cache.present()) return;
    if (cell->cache.mode == CacheMode::kDatabase) {
      if (tagged || placed)
        map.error(tagged ? "cache_tag" : "cache_placement",
                  "cell '{}' keeps its tenants apart by databases, not prefixes", cell->name);
      return;
    }
    const CacheInstance* instance = cell->cache.find_instance(tenant.cache_instance);
    if (tenant.cache_placement == CachePlacement::kSpread && instance != nullptr &&
        instance->topology == CacheTopology::kCluster) {
      map.error("cache_placement",
                "'spread' is not possible in a Redis Cluster yet: commands about all keys of the "
                "tenant would see those of one node only");
    }
    if (redis.empty()) return;
    const std::string tag =
        tenant.cache_tag.empty() ? tenant.id.value().to_string() : tenant.cache_tag;
    const auto [owner, is_new] = cache_tags_.emplace(tag + " of " + redis, tenant.slug);
    if (!is_new) {
      map.error(tagged ? "cache_tag" : "id",
                "the keys of tenant '{}' in {} begin with '{}' already", owner->second, redis, tag);
    }
  }

  void read_sql_login(YamlMap& map, const Tenant& tenant, const Cell* cell) {
    SqlLogin login{.user = tenant.slug,
                   .login_class = LoginClass::kBound,
                   .cell = tenant.cell,
                   .tenant = tenant.id};
    read_verifier(map, files_, login.verifier);
    if (cell && cell->sql.endpoint.address.empty())
      map.error("", "cell '{}' has no 'sql'", cell->name);
    if (cell) login.database = cell->sql.database;
    data_.sql_logins.push_back(std::move(login));
  }

  void read_cache_login(YamlMap& map, const Tenant& tenant, const Cell* cell) {
    CacheLogin login{.user = tenant.slug, .tenant = tenant.id};
    read_secret_digest(map, login);
    if (cell && !cell->cache.present()) map.error("", "cell '{}' has no 'cache'", cell->name);
    data_.cache_logins.push_back(std::move(login));
  }

  static void read_secret_digest(YamlMap& map, CacheLogin& login) {
    std::string digest;
    if (!map.required("secret_sha256", digest,
                      "SHA-256 of its random secret, 64 hexadecimal digits"))
      return;
    const auto bytes = decode_hex(digest);
    if (!bytes || bytes->size() != login.secret_sha256.size()) {
      return map.error("secret_sha256", "'secret_sha256' must be 64 hexadecimal digits");
    }
    std::ranges::copy(*bytes, login.secret_sha256.begin());
  }

  FileLoader& files_;
  DirectoryData& data_;
  std::unordered_map<std::string, uint32_t> seen_;  // "slug acme": its line
  std::unordered_map<std::string, std::string> cache_databases_;
  std::unordered_map<std::string, std::string> cache_tags_;
  std::unordered_map<std::string, CacheUser> cache_users_;  // the first tenant of each Redis
};

}  // namespace

void read_tenants(YamlMap& file, FileLoader& files, DirectoryData& data) {
  TenantReader reader(files, data);
  file.list("tenants", "the customers", [&](YamlMap& map) { reader.read(map); });
}

}  // namespace partywall::store
