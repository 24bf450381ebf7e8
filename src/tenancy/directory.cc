#include "tenancy/directory.h"

#include <algorithm>

namespace partywall {
namespace {

template <class Items, class Key>
Result<> check_unique(const Items& items, Key Items::value_type::* key, std::string_view what) {
  for (auto item = items.begin(); item != items.end(); ++item) {
    if (std::find_if(items.begin(), item,
                     [&](const auto& other) { return other.*key == (*item).*key; }) != item) {
      return fail(ErrorKind::kInvalid, "{} {}: defined twice", what, (*item).*key);
    }
  }
  return {};
}

template <class Item>
const Item* find_by_name(const std::vector<Item>& items, std::string_view name) {
  const auto found = std::ranges::find(items, name, &Item::name);
  return found == items.end() ? nullptr : &*found;
}

template <class Map>
auto find_in(const Map& map, const typename Map::key_type& key) -> typename Map::mapped_type {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

bool prefix_matches(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return false;
  return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

}  // namespace

Result<std::shared_ptr<const Directory>> Directory::build(DirectoryData data) {
  std::shared_ptr<Directory> directory(new Directory(std::move(data)));
  if (auto indexed = directory->index(); !indexed) return std::unexpected(indexed.error());
  return directory;
}

Result<> Directory::index() {
  for (const auto& checked : {check_unique(data_.tiers, &Tier::name, "tier"),
                              check_unique(data_.cells, &Cell::name, "cell"),
                              check_unique(data_.routes, &Route::path_prefix, "route"),
                              check_unique(data_.issuers, &Issuer::issuer, "token issuer"),
                              check_unique(data_.context_keys, &ContextKey::id, "context key"),
                              index_tenants(), index_sql_logins(), index_cache_logins()}) {
    if (!checked) return checked;
  }
  for (const Route& route : data_.routes) routes_by_length_.push_back(&route);
  std::ranges::sort(routes_by_length_, std::ranges::greater{},
                    [](const Route* route) { return route->path_prefix.size(); });
  return {};
}

Result<> Directory::index_tenants() {
  for (const Tenant& tenant : data_.tenants) {
    if (auto valid = check_slug(tenant.slug); !valid) return valid;
    if (!find_tier(tenant.tier)) {
      return fail(ErrorKind::kInvalid, "tenant {}: no tier named '{}'", tenant.slug, tenant.tier);
    }
    const Cell* cell = find_cell(tenant.cell);
    if (!cell) {
      return fail(ErrorKind::kInvalid, "tenant {}: no cell named '{}'", tenant.slug, tenant.cell);
    }
    if (!tenant.cache_instance.empty() && !cell->cache.find_instance(tenant.cache_instance)) {
      return fail(ErrorKind::kInvalid, "tenant {}: cell '{}' has no cache instance named '{}'",
                  tenant.slug, cell->name, tenant.cache_instance);
    }
    if (!tenants_by_slug_.emplace(tenant.slug, &tenant).second) {
      return fail(ErrorKind::kInvalid, "tenant {}: the slug is taken by another tenant",
                  tenant.slug);
    }
    if (!tenants_by_id_.emplace(tenant.id, &tenant).second) {
      return fail(ErrorKind::kInvalid, "tenant {}: the id {} is taken by another tenant",
                  tenant.slug, tenant.id.value().to_string());
    }
  }
  return {};
}

Result<> Directory::index_sql_logins() {
  for (const SqlLogin& login : data_.sql_logins) {
    if (!sql_logins_.emplace(login.user, &login).second) {
      return fail(ErrorKind::kInvalid, "sql login {}: defined twice", login.user);
    }
    if (login.tenant && !find_tenant(*login.tenant)) {
      return fail(ErrorKind::kInvalid, "sql login {}: its tenant does not exist", login.user);
    }
    if (!login.tenant && !find_cell(login.cell)) {
      return fail(ErrorKind::kInvalid, "sql login {}: no cell named '{}'", login.user, login.cell);
    }
  }
  return {};
}

Result<> Directory::index_cache_logins() {
  for (const CacheLogin& login : data_.cache_logins) {
    if (!cache_logins_.emplace(login.user, &login).second) {
      return fail(ErrorKind::kInvalid, "cache login {}: defined twice", login.user);
    }
    if (login.tenant && !find_tenant(*login.tenant)) {
      return fail(ErrorKind::kInvalid, "cache login {}: its tenant does not exist", login.user);
    }
  }
  return {};
}

const Tenant* Directory::find_tenant(TenantId id) const { return find_in(tenants_by_id_, id); }

const Tenant* Directory::find_tenant_by_slug(std::string_view slug) const {
  return find_in(tenants_by_slug_, slug);
}

const Tenant* Directory::find_tenant_by_name(std::string_view uuid_or_slug) const {
  if (const auto uuid = Uuid::parse(uuid_or_slug)) return find_tenant(TenantId(*uuid));
  return find_tenant_by_slug(uuid_or_slug);
}

const Tier* Directory::find_tier(std::string_view name) const {
  return find_by_name(data_.tiers, name);
}
const Cell* Directory::find_cell(std::string_view name) const {
  return find_by_name(data_.cells, name);
}
const SqlLogin* Directory::find_sql_login(std::string_view user) const {
  return find_in(sql_logins_, user);
}
const CacheLogin* Directory::find_cache_login(std::string_view user) const {
  return find_in(cache_logins_, user);
}

const Route* Directory::find_route(std::string_view path) const {
  const auto found = std::ranges::find_if(routes_by_length_, [&](const Route* route) {
    return prefix_matches(route->path_prefix, path);
  });
  return found == routes_by_length_.end() ? nullptr : *found;
}

TenantNumber TenantNumbers::number_of(TenantId id) {
  return numbers_.try_emplace(id, TenantNumber(static_cast<uint32_t>(numbers_.size())))
      .first->second;
}

void TenantNumbers::assign(std::vector<Tenant>& tenants) {
  for (Tenant& tenant : tenants) tenant.number = number_of(tenant.id);
}

}  // namespace partywall
