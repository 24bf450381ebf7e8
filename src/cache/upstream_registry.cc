#include "cache/upstream_registry.h"

#include <algorithm>
#include <cassert>

namespace partywall::cache {

Result<std::shared_ptr<TenantUpstreams>> UpstreamRegistry::of(const Tenant& tenant,
                                                              Protocol protocol, UpstreamUser user,
                                                              uint32_t selected) {
  auto route = route_of(tenant);
  if (route == nullptr)
    return fail(ErrorKind::kUnavailable, "the cell of this tenant has no cache");
  UpstreamTarget target = target_of(tenant, std::move(route), protocol, user, selected);
  std::shared_ptr<TenantUpstreams>& entry = targets_[target];
  if (entry == nullptr)
    entry = std::make_shared<TenantUpstreams>(std::move(target), limits_, network_);
  return entry;
}

std::shared_ptr<CacheRoute> UpstreamRegistry::route_of(const Tenant& tenant) const {
  const Cell* cell = directory_ == nullptr ? nullptr : directory_->find_cell(tenant.cell);
  if (cell == nullptr) return nullptr;
  const auto found = routes_.find(cell->cache.find_instance(tenant.cache_instance));
  return found == routes_.end() ? nullptr : found->second.route;
}

uint64_t UpstreamRegistry::tick(MonotonicTime now, uint32_t nodes) {
  uint64_t changed = 0;
  for (auto& [instance, watched] : routes_) {
    if (watched.watch != nullptr) watched.watch->tick(now);
    if (watched.survey != nullptr) watched.survey->tick(now, nodes);
    if (const auto refusal = watched.route->take_login_refusal(); refusal && login_refused_)
      login_refused_(*watched.route, *refusal);
    if (std::exchange(watched.version, watched.route->version()) == watched.route->version())
      continue;
    for (const auto& [target, upstreams] : targets_) {
      if (target.route == watched.route) upstreams->route_changed(now);
    }
    takeover_until_ = now + limits_.takeover_grace + kRouteTick;
    ++changed;
  }
  if (now > takeover_until_) return changed;
  for (const auto& [target, upstreams] : targets_) upstreams->end_overdue(now);
  return changed;
}

void UpstreamRegistry::sweep(MonotonicTime now) {
  std::erase_if(targets_, [&](const auto& entry) {
    entry.second->sweep(now);
    return entry.second->empty() && entry.second.use_count() == 1;
  });
}

void UpstreamRegistry::directory_changed(const Directory& directory) {
  auto old = std::exchange(routes_, {});
  directory_ = &directory;
  for (const Cell& cell : directory.cells()) {
    for (const CacheInstance& instance : cell.cache.instances) {
      const auto same = std::ranges::find_if(old, [&](const auto& entry) {
        return entry.second.route != nullptr && entry.second.route->is_of(cell, instance);
      });
      if (same != old.end()) {
        routes_[&instance] = std::exchange(same->second, {});
        continue;
      }
      Watched& added = routes_[&instance];
      added.route = std::make_shared<CacheRoute>(cell, instance);
      added.watch = watch_route(*added.route, network_, limits_.watch);
      if (surveys_ == Surveys::kOfIndexes && cell.cache.mode == CacheMode::kPrefix)
        added.survey = std::make_unique<IndexSurvey>(*added.route, network_);
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
  if (tenant == nullptr || !is_served(tenant->status)) return false;
  auto route = route_of(*tenant);
  if (route == nullptr) return false;
  // Any of the tenant's own databases.
  if (!owns_cache_database(*tenant, tenant->cache_database + target.selected)) return false;
  return target ==
         target_of(*tenant, std::move(route), target.protocol, target.user, target.selected);
}

void UpstreamRegistry::finish_all() {
  for (const auto& [target, upstreams] : targets_) upstreams->finish_all();
  targets_.clear();
}

}  // namespace partywall::cache
