#include "cache/cache_route.h"

#include <fmt/format.h>

namespace partywall::cache {
namespace {

bool same(const Secret& a, const Secret& b) { return a.equals(b.reveal()); }

bool same_logins(const CacheBackend& a, const CacheBackend& b) {
  return a.tls == b.tls && a.door_user == b.door_user && same(a.door_password, b.door_password) &&
         same(a.tenant_password, b.tenant_password) && a.sentinel_user == b.sentinel_user &&
         same(a.sentinel_password, b.sentinel_password);
}

}  // namespace

CacheRoute::CacheRoute(const Cell& cell, const CacheInstance& instance)
    : cell_(cell.name),
      instance_(instance),
      backend_(cell.cache),
      name_(fmt::format("cell {}, cache {}", cell.name, instance.name)) {
  backend_.instances.clear();
}

bool CacheRoute::is_of(const Cell& cell, const CacheInstance& instance) const {
  return cell.name == cell_ && instance == instance_ && same_logins(cell.cache, backend_);
}

Result<Endpoint> CacheRoute::find() const { return instance_.endpoints.front(); }

}  // namespace partywall::cache
