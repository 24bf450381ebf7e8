#include <algorithm>

#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr Choice<LoginClass> kLoginClasses[] = {{"bound", LoginClass::kBound},
                                                {"application", LoginClass::kApplication},
                                                {"asserting", LoginClass::kAsserting},
                                                {"migration", LoginClass::kMigration}};

const Tenant* find_tenant(const DirectoryData& data, std::string_view slug) {
  const auto found = std::ranges::find(data.tenants, slug, &Tenant::slug);
  return found == data.tenants.end() ? nullptr : &*found;
}

// Reads the slug of a tenant; nullptr where it is absent or there is no such tenant.
const Tenant* read_tenant(YamlMap& map, const DirectoryData& data, std::string_view help) {
  std::string slug;
  if (!map.optional("tenant", slug, help)) return nullptr;
  const Tenant* const tenant = find_tenant(data, slug);
  if (!tenant) {
    map.error("tenant", "there is no tenant '{}'{}", slug,
              suggest_name(slug, data.tenants, &Tenant::slug));
  }
  return tenant;
}

// User names are one name space: tenants log in with their slugs, and "<slug>.<name>" is theirs
// too.
template <class Login>
void check_free_user(YamlMap& map, const DirectoryData& data, const std::vector<Login>& others,
                     const std::string& user) {
  const std::string_view owner = std::string_view(user).substr(0, user.find('.'));
  if (std::ranges::find(others, user, &Login::user) != others.end()) {
    map.error("user", "there is a login '{}' already", user);
  } else if (find_tenant(data, owner)) {
    map.error("user", "'{}' is a name of tenant '{}'; choose another", user, owner);
  }
}

void check_bound_user(YamlMap& map, const DirectoryData& data, const std::string& user,
                      const Tenant& tenant) {
  if (std::ranges::find(data.sql_logins, user, &SqlLogin::user) != data.sql_logins.end()) {
    map.error("user", "there is a login '{}' already", user);
  } else if (!user.starts_with(tenant.slug + ".") || user.size() == tenant.slug.size() + 1) {
    map.error("user", "'{}' must be called '{}.<name>', because it is bound to that tenant", user,
              tenant.slug);
  }
}

void check_cell(YamlMap& map, const DirectoryData& data, const SqlLogin& login) {
  const auto cell = std::ranges::find(data.cells, login.cell, &Cell::name);
  if (cell == data.cells.end()) {
    map.error("cell", "there is no cell '{}'{}", login.cell,
              suggest_name(login.cell, data.cells, &Cell::name));
  } else if (cell->sql.endpoint.address.empty()) {
    map.error("cell", "cell '{}' has no 'sql'", cell->name);
  } else if (login.login_class == LoginClass::kMigration && cell->sql.owner_role.empty()) {
    map.error("cell", "cell '{}' has no 'sql.owner', which a migration login becomes", cell->name);
  }
}

void read_addresses(YamlMap& map, SqlLogin& login) {
  map.values("addresses", login.addresses,
             "where an asserting login may come from, such as `10.1.0.0/16` or `::1`");
  if (map.describes()) return;
  const bool is_asserting = login.login_class == LoginClass::kAsserting;
  if (is_asserting) map.require("addresses");
  if (!is_asserting && map.has("addresses"))
    map.error("addresses", "'addresses' is for asserting logins only; remove it");
}

// Whose it is, or where it leads: bound logins follow their tenant, the others name a cell.
void read_target(YamlMap& map, const DirectoryData& data, SqlLogin& login) {
  const bool has_class =
      map.required_choice("class", login.login_class, kLoginClasses,
                          "bound: one tenant for good; application: brings a context; asserting: "
                          "may name any tenant; migration: owns the tables");
  const Tenant* const tenant = read_tenant(map, data, "tenant of a bound login");
  const bool has_cell =
      map.optional("cell", login.cell, "where it leads; required unless the login is bound");
  if (!has_class) return;
  const bool is_bound = login.login_class == LoginClass::kBound;
  map.require(is_bound ? "tenant" : "cell");
  if (!is_bound) {
    if (map.has("tenant")) map.error("tenant", "'tenant' is for bound logins only; remove it");
    if (!login.user.empty()) check_free_user(map, data, data.sql_logins, login.user);
    if (has_cell) check_cell(map, data, login);
    return;
  }
  if (map.has("cell"))
    map.error("cell", "a bound login follows its tenant to its cell; remove 'cell'");
  if (!tenant) return;
  login.tenant = tenant->id;
  login.cell = tenant->cell;
  if (!login.user.empty()) check_bound_user(map, data, login.user, *tenant);
}

void read_sql_login(YamlMap& map, FileLoader& files, DirectoryData& data) {
  SqlLogin login;
  map.required("user", login.user, "user name; of a bound login `<slug>.<name>`");
  read_target(map, data, login);
  map.optional("database", login.database, "what the client must name; absent: any name will do");
  read_verifier(map, files, login.verifier);
  read_addresses(map, login);
  data.sql_logins.push_back(std::move(login));
}

void read_cache_login(YamlMap& map, DirectoryData& data) {
  CacheLogin login;
  if (map.required("user", login.user,
                   "user name of an application, which proves the tenant with a context")) {
    check_free_user(map, data, data.cache_logins, login.user);
  }
  data.cache_logins.push_back(std::move(login));
}

}  // namespace

void read_logins(YamlMap& file, FileLoader& files, DirectoryData& data) {
  file.section("logins", "logins beside the tenants' own", [&](YamlMap& map) {
    map.list("sql", "at the sql door", [&](YamlMap& login) { read_sql_login(login, files, data); });
    map.list("cache", "at the cache door", [&](YamlMap& login) { read_cache_login(login, data); });
  });
}

}  // namespace partywall::store
