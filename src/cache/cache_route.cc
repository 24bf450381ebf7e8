#include "cache/cache_route.h"

#include <fmt/format.h>

#include "base/log.h"

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
  return cell.name == cell_ && instance == instance_ && cell.cache.mode == backend_.mode &&
         same_logins(cell.cache, backend_);
}

Result<Endpoint> CacheRoute::find(HashSlot slot) const {
  switch (instance_.topology) {
    case CacheTopology::kSingle:
      return instance_.endpoints.front();
    case CacheTopology::kSentinel:
      if (primary_) return *primary_;
      return fail(ErrorKind::kUnavailable, "no Sentinel has said yet which Redis is the primary");
    case CacheTopology::kCluster:
      if (const Endpoint* node = slots_.find(slot)) return *node;
      return fail(ErrorKind::kUnavailable, "no node of the Redis Cluster has the keys now");
  }
  return fail(ErrorKind::kInternal, "a cache of an unknown kind");
}

void CacheRoute::set_primary(const Endpoint& primary) {
  suspected_ = false;
  if (primary_ == primary) return;
  log_info("the cache door goes to another primary",
           {{"route", name_},
            {"from", primary_ ? primary_->to_string() : "none"},
            {"to", primary.to_string()}});
  primary_ = primary;
  ++version_;
}

void CacheRoute::login_refused(const Endpoint& server, const std::string& problem) {
  if (!login_refusal_) login_refusal_ = LoginRefusal{server, problem};
}

void CacheRoute::set_slots(SlotMap slots) {
  suspected_ = false;
  if (slots_ == slots) return;
  slots_ = std::move(slots);
  ++version_;
}

}  // namespace partywall::cache
