#include "cache/load/server_watches.h"

#include <algorithm>

namespace partywall::cache {
namespace {

// All that may run a tenant's commands.
std::vector<Endpoint> servers_of(const CacheRoute& route) {
  switch (route.instance().topology) {
    case CacheTopology::kSingle:
      return {route.instance().endpoints.front()};
    case CacheTopology::kSentinel:
      return route.primary() ? std::vector<Endpoint>{*route.primary()} : std::vector<Endpoint>{};
    case CacheTopology::kCluster:
      break;
  }
  return route.slots().nodes();
}

}  // namespace

void ServerWatches::set_directory(DirectoryRef directory) {
  directory_ = std::move(directory);
  longest_scripts_.clear();
  routes_.clear();
  for (const TenantId tenant : door_.loads.tenants()) add_route_of(tenant);
}

void ServerWatches::add_route_of(TenantId tenant) {
  const Tenant* known = directory_->find_tenant(tenant);
  if (known == nullptr) return;
  auto route = door_.registry.route_of(*known);
  if (route != nullptr && std::ranges::find(routes_, route) == routes_.end())
    routes_.push_back(std::move(route));
}

// Cells may share a server: it has one watch all the same.
void ServerWatches::follow_routes() {
  std::vector<std::unique_ptr<ServerWatch>> watches;
  for (const auto& route : routes_) {
    for (const Endpoint& server : servers_of(*route)) {
      if (std::ranges::any_of(watches, [&](const auto& one) { return one->server() == server; }))
        continue;
      const auto same = std::ranges::find_if(watches_, [&](const auto& one) {
        return one != nullptr && one->server() == server && &one->route() == route.get();
      });
      ServerWatchSink& sink = *this;
      watches.push_back(same != watches_.end()
                            ? std::move(*same)
                            : std::make_unique<ServerWatch>(server, route, door_.network,
                                                            door_.time, door_.flights, sink));
    }
  }
  watches_ = std::move(watches);
}

Duration ServerWatches::tick() {
  if (directory_ == nullptr) return ServerWatchTimes().interval;
  for (const TenantId tenant : door_.loads.take_new()) add_route_of(tenant);
  follow_routes();
  for (const auto& watch : watches_) watch->tick();
  const auto busy = std::ranges::count_if(watches_, &ServerWatch::busy);
  busy_.store(static_cast<uint64_t>(busy), std::memory_order_relaxed);
  return busy > 0 ? ServerWatchTimes().busy_interval : ServerWatchTimes().interval;
}

void ServerWatches::count(TenantId tenant, CacheMeter meter, uint64_t amount) {
  const Tenant* known = directory_->find_tenant(tenant);
  if (known != nullptr) door_.meters.add(known->number, meter, amount);
}

void ServerWatches::time_used(const TimeUse& use) {
  const Tenant* tenant = directory_->find_tenant(use.tenant);
  if (tenant == nullptr) return;
  if (const Duration granted = tenant->limits.cache_time; granted < kAllCacheTime)
    door_.loads.of(use.tenant)->time.charge(use.took, granted, door_.time.monotonic());
  const auto took = std::chrono::duration_cast<microseconds>(use.took).count();
  count(use.tenant, CacheMeter::kRedisMicroseconds, static_cast<uint64_t>(took));
}

void ServerWatches::script_ended(TenantId tenant) { count(tenant, CacheMeter::kScriptsEnded, 1); }

void ServerWatches::script_goes_on(TenantId tenant) { count(tenant, CacheMeter::kScriptsGoOn, 1); }

// Asked again and again while a script runs, so it is found out once for each directory.
Duration ServerWatches::longest_script(const CacheRoute& route) {
  if (longest_scripts_.empty()) {
    for (const Tenant& tenant : directory_->tenants()) {
      Duration& longest = longest_scripts_[door_.registry.route_of(tenant).get()];
      longest = std::max({longest, kLeastCacheScriptTime, tenant.limits.cache_script_time});
    }
  }
  const auto found = longest_scripts_.find(&route);
  return found == longest_scripts_.end() ? kLeastCacheScriptTime : found->second;
}

}  // namespace partywall::cache
