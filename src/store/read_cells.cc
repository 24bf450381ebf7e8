#include <algorithm>

#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr Choice<CellKind> kCellKinds[] = {{"shared", CellKind::kShared},
                                           {"dedicated", CellKind::kDedicated}};
constexpr size_t kMaxIdentifier = 63;                  // of PostgreSQL (NAMEDATALEN - 1)
constexpr size_t kMaxSlotPrefix = kMaxIdentifier - 3;  // leaves room for the slot's number
constexpr size_t kRegisterKeyBytes = 64;

void read_slots(YamlMap& map, FileLoader& files, SlotRoles& slots) {
  if (map.optional("prefix", slots.prefix, "the roles are called prefix + 001, 002 …")) {
    check_identifier(map, "prefix", slots.prefix, kMaxSlotPrefix);
  }
  map.optional("count", slots.count, {1, 999},
               "how many; also the most server connections of a node to this cell");
  read_password_file(map, files, "password_file", slots.password, "their password");
}

void read_owner(YamlMap& map, FileLoader& files, SqlBackend& sql) {
  if (map.required("role", sql.owner_role, "role that owns the tables")) {
    check_identifier(map, "role", sql.owner_role, kMaxIdentifier);
  }
  read_password_file(map, files, "password_file", sql.owner_password, "its password");
}

void read_provisioner(YamlMap& map, FileLoader& files, SqlBackend& sql) {
  if (map.required("role", sql.provisioner_role, "role with CREATEROLE and pg_signal_backend")) {
    check_identifier(map, "role", sql.provisioner_role, kMaxIdentifier);
  }
  read_password_file(map, files, "password_file", sql.provisioner_password, "its password");
}

void read_sql(YamlMap& map, FileLoader& files, SqlBackend& sql) {
  read_endpoint(map, sql.endpoint, 1);
  if (map.required("database", sql.database, "database of the tenants") &&
      sql.database.size() > kMaxIdentifier) {
    map.error("database", "'database' is longer than {} bytes, which PostgreSQL cuts off",
              kMaxIdentifier);
  }
  map.required_section(
      "slot_roles", "the roles that the door's server connections log in as, one connection each",
      [&](YamlMap& slots) { read_slots(slots, files, sql.slots); });
  read_key_file(map, files, "register_key_file", kRegisterKeyBytes, sql.register_key,
                "key of the tenant register, 128 hexadecimal digits; `partywall schema protect` "
                "puts it into the database");
  map.optional("register_key_id", sql.register_key_id, {1, 1'000'000},
               "its number in the database's key table");
  map.optional("allow_temp", sql.allow_temp, "tenants may create temporary tables");
  map.section("owner", "what migration logins become; without it there are none",
              [&](YamlMap& owner) { read_owner(owner, files, sql); });
  map.section("provisioner",
              "with what the door mends slot roles that a tenant has changed, and ends statements "
              "that no cancel ends; without it such a slot stays unused until `partywall schema "
              "protect` runs, or the statement ends",
              [&](YamlMap& provisioner) { read_provisioner(provisioner, files, sql); });
}

void check_path(YamlMap& map, std::string_view key, std::string_view path) {
  const auto is_visible = [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; };
  if (path.starts_with('/') && std::ranges::all_of(path, is_visible)) return;
  map.error(key, "'{}' is '{}', but a path starts with '/' and has no blanks, '?' or '#'", key,
            path);
}

void read_health(YamlMap& map, HealthCheck& health) {
  if (map.optional("path", health.path, "what is asked for")) check_path(map, "path", health.path);
  map.optional("interval", health.interval, {milliseconds(100), hours(1)}, "between two checks");
  map.optional("timeout", health.timeout, {milliseconds(10), minutes(10)},
               "until a check has failed");
  map.optional("rise", health.rise, {1, 100}, "successes in a row until an instance is up");
  map.optional("fall", health.fall, {1, 100}, "failures in a row until it is down");
}

void read_instance(YamlMap& map, Pool& pool) {
  Instance instance;
  map.required("id", instance.id, "its name, unique in the pool");
  read_endpoint(map, instance.endpoint, 1);
  map.optional("weight", instance.weight, {1, 1'000}, "its share of the requests");
  if (!instance.id.empty() &&
      std::ranges::find(pool.instances, instance.id, &Instance::id) != pool.instances.end()) {
    map.error("id", "the pool has an instance '{}' already", instance.id);
  }
  pool.instances.push_back(std::move(instance));
}

Pool read_pool(YamlMap& map, const std::string& name) {
  Pool pool;
  pool.name = name;
  if (auto valid = check_slug(name); !valid && !map.describes())
    map.error("", "{}", valid.error().message);
  map.section("health", "active checks of the instances",
              [&](YamlMap& health) { read_health(health, pool.health); });
  map.list("instances", "where the application runs; absent: a provider says so",
           [&](YamlMap& instance) { read_instance(instance, pool); });
  pool.is_provided = !map.has("instances");
  return pool;
}

}  // namespace

void read_cells(YamlMap& file, FileLoader& files, std::vector<Cell>& cells) {
  file.required_named(
      "cells", "complete stacks that tenants are placed in",
      [&](const std::string& name, YamlMap& map) {
        Cell cell;
        cell.name = name;
        if (auto valid = check_slug(name); !valid && !map.describes())
          map.error("", "{}", valid.error().message);
        map.optional_choice("kind", cell.kind, kCellKinds, "a dedicated cell holds one tenant");
        map.optional("region", cell.region, "where it is; tenants may require one");
        map.section("sql", "its PostgreSQL database; without it its tenants have no SQL",
                    [&](YamlMap& sql) { read_sql(sql, files, cell.sql); });
        map.section("cache", "its Redis; without it its tenants have no cache",
                    [&](YamlMap& cache) { read_cache(cache, files, cell.cache); });
        map.named("pools", "its application", [&](const std::string& pool, YamlMap& inside) {
          cell.pools.push_back(read_pool(inside, pool));
        });
        cells.push_back(std::move(cell));
      });
}

void read_routes(YamlMap& file, DirectoryData& data) {
  file.list("routes",
            "which pool of the tenant's cell a request goes to, by the longest matching path",
            [&](YamlMap& map) {
              Route route;
              if (map.required("path", route.path_prefix,
                               "prefix of the request's path; it ends at a '/'")) {
                check_path(map, "path", route.path_prefix);
              }
              if (map.required("pool", route.pool,
                               "pool of the tenant's cell; every cell must have it")) {
                for (const Cell& cell : data.cells) {
                  if (cell.find_pool(route.pool)) continue;
                  map.error("pool", "cell '{}' has no pool '{}'{}", cell.name, route.pool,
                            suggest_name(route.pool, cell.pools, &Pool::name));
                }
              }
              map.optional("authenticated", route.authenticated,
                           "false: no tenant is needed and none is passed on");
              if (std::ranges::find(data.routes, route.path_prefix, &Route::path_prefix) !=
                  data.routes.end()) {
                map.error("path", "there is a route for '{}' already", route.path_prefix);
              }
              data.routes.push_back(std::move(route));
            });
}

}  // namespace partywall::store
