#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "cache/quota/index_survey.h"
#include "cache/route_watch.h"
#include "cache/tenant_upstreams.h"
#include "tenancy/directory.h"

namespace partywall::cache {

// All connections to Redis of one worker, by target, and the routes that they take.
class UpstreamRegistry {
 public:
  enum class Surveys : uint8_t { kNone, kOfIndexes };

  // One worker of a node has the surveys.
  UpstreamRegistry(UpstreamLimits limits, UpstreamNetwork& network,
                   Surveys surveys = Surveys::kNone)
      : limits_(limits), network_(network), surveys_(surveys) {}

  // The ones to where the last directory says that the tenant is; kUnavailable: it has no cache.
  // `selected` is the client's number of the database, one of the tenant's.
  Result<std::shared_ptr<TenantUpstreams>> of(const Tenant& tenant, Protocol protocol,
                                              UpstreamUser user = UpstreamUser::kTenant,
                                              uint32_t selected = 0);

  // To be called every kRouteTick: moves connections to where the routes lead now. How many routes
  // have got another server.
  // `nodes`: so many share the work that concerns all tenants.
  uint64_t tick(MonotonicTime now, uint32_t nodes = 1);
  // To be called every few seconds.
  void sweep(MonotonicTime now);
  // Lets go of connections that lead where the tenant is not any more, or with outdated passwords.
  // To be called with the first directory too. It must stay until the next one.
  void directory_changed(const Directory& directory);
  // nullptr: its cell has no cache.
  [[nodiscard]] std::shared_ptr<CacheRoute> route_of(const Tenant& tenant) const;
  // Is it where the tenant is, and may the tenant be served at all?
  [[nodiscard]] bool is_current(const UpstreamTarget& target) const;
  void finish_all();
  [[nodiscard]] size_t size() const { return targets_.size(); }

  // Called when a Redis does not know the users that provisioning makes.
  void on_login_refused(std::function<void(const CacheRoute&, const LoginRefusal&)> hook) {
    login_refused_ = std::move(hook);
  }

 private:
  struct Watched {
    std::shared_ptr<CacheRoute> route;
    std::unique_ptr<RouteWatch> watch;    // nullptr: it never changes
    std::unique_ptr<IndexSurvey> survey;  // nullptr: not here
    uint64_t version = 0;                 // that the connections know
  };

  UpstreamLimits limits_;
  UpstreamNetwork& network_;
  Surveys surveys_;
  const Directory* directory_ = nullptr;
  // By what is in the directory.
  std::unordered_map<const CacheInstance*, Watched> routes_;
  std::unordered_map<UpstreamTarget, std::shared_ptr<TenantUpstreams>> targets_;
  MonotonicTime takeover_until_{};  // connections to servers that were taken over may be left
  std::function<void(const CacheRoute&, const LoginRefusal&)> login_refused_;
};

}  // namespace partywall::cache
