#include "cache/upstream_registry.h"

#include <algorithm>

namespace partywall::cache {

Result<std::shared_ptr<TenantUpstreams>> UpstreamRegistry::of(const Tenant& tenant,
                                                              Protocol protocol) {
  auto route = route_of(tenant);
  if (route == nullptr)
    return fail(ErrorKind::kUnavailable, "the cell of this tenant has no cache");
  UpstreamTarget target{.tenant = tenant.id,
                        .route = std::move(route),
                        .database = tenant.cache_database,
                        .protocol = protocol};
  std::shared_ptr<TenantUpstreams>& entry = targets_[target];
  if (entry == nullptr)
    entry = std::make_shared<TenantUpstreams>(std::move(target), limits_, network_);
  return entry;
}

std::shared_ptr<CacheRoute> UpstreamRegistry::route_of(const Tenant& tenant) const {
  const Cell* cell = directory_ == nullptr ? nullptr : directory_->find_cell(tenant.cell);
  if (cell == nullptr) return nullptr;
  const auto found = routes_.find(cell->cache.find_instance(tenant.cache_instance));
  return found == routes_.end() ? nullptr : found->second;
}

void UpstreamRegistry::sweep(MonotonicTime now) {
  std::erase_if(targets_, [&](const auto& entry) {
    entry.second->sweep(now);
    return entry.second->empty() && entry.second.use_count() == 1;
  });
}

void UpstreamRegistry::directory_changed(const Directory& directory) {
  const auto old = std::exchange(routes_, {});
  directory_ = &directory;
  for (const Cell& cell : directory.cells()) {
    for (const CacheInstance& instance : cell.cache.instances) {
      const auto same = std::ranges::find_if(
          old, [&](const auto& entry) { return entry.second->is_of(cell, instance); });
      routes_[&instance] =
          same == old.end() ? std::make_shared<CacheRoute>(cell, instance) : same->second;
    }
  }
  std::erase_if(targets_, [&](const auto& entry) {
    const bool fits = is_current(entry.first);
    if (!fits) entry.second->finish_all();
    return !fits;
  });
}

bool UpstreamRegistry::is_current(const UpstreamTarget& target) const {
  const Tenant* tenant = directory_->find_tenant(target.tenant);
  return tenant != nullptr && is_served(tenant->status) && route_of(*tenant) == target.route &&
         tenant->cache_database == target.database;
}

void UpstreamRegistry::finish_all() {
  for (const auto& [target, upstreams] : targets_) upstreams->finish_all();
  targets_.clear();
}

}  // namespace partywall::cache
