#include "cache/upstream_registry.h"

namespace partywall::cache {
namespace {

bool same_logins(const CacheBackend& a, const CacheBackend& b) {
  return a.door_user == b.door_user && a.door_password.equals(b.door_password.reveal()) &&
         a.tenant_password.equals(b.tenant_password.reveal());
}

}  // namespace

std::shared_ptr<TenantUpstreams> UpstreamRegistry::of(const Tenant& tenant, const Cell& cell,
                                                      Protocol protocol) {
  UpstreamTarget target{.tenant = tenant.id,
                        .endpoint = cell.cache.endpoint,
                        .database = tenant.cache_database,
                        .protocol = protocol};
  std::shared_ptr<TenantUpstreams>& entry = targets_[target];
  if (entry == nullptr)
    entry = std::make_shared<TenantUpstreams>(std::move(target), cell.cache, limits_, network_);
  return entry;
}

void UpstreamRegistry::sweep(MonotonicTime now) {
  std::erase_if(targets_, [&](const auto& entry) {
    entry.second->sweep(now);
    return entry.second->empty() && entry.second.use_count() == 1;
  });
}

void UpstreamRegistry::directory_changed(const Directory& directory) {
  std::erase_if(targets_, [&](const auto& entry) {
    const auto& [target, upstreams] = entry;
    const Tenant* tenant = directory.find_tenant(target.tenant);
    const Cell* cell = tenant == nullptr || !is_served(tenant->status)
                           ? nullptr
                           : directory.find_cell(tenant->cell);
    const bool fits = cell != nullptr && cell->cache.endpoint == target.endpoint &&
                      tenant->cache_database == target.database &&
                      same_logins(cell->cache, upstreams->backend());
    if (!fits) upstreams->finish_all();
    return !fits;
  });
}

void UpstreamRegistry::finish_all() {
  for (const auto& [target, upstreams] : targets_) upstreams->finish_all();
  targets_.clear();
}

}  // namespace partywall::cache
