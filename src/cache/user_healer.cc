#include "cache/user_healer.h"

#include "base/log.h"

namespace partywall::cache {
namespace {
// After so long without a refusal what happened before is forgotten.
constexpr Duration kForgetAfter = minutes(15);
}  // namespace

std::vector<Tenant> tenants_in(const Directory& directory, const CacheInstance& instance) {
  std::vector<Tenant> tenants;
  for (const Tenant& tenant : directory.tenants()) {
    const Cell* cell = directory.find_cell(tenant.cell);
    const CacheInstance* home = cell->cache.find_instance(tenant.cache_instance);
    const bool here = home != nullptr && home->endpoints == instance.endpoints &&
                      home->primary_name == instance.primary_name;
    if (here && tenant.status != TenantStatus::kErased) tenants.push_back(tenant);
  }
  return tenants;
}

UserHealer::UserHealer(const TimeSource& time, Provision provision)
    : time_(time),
      provision_(std::move(provision)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

UserHealer::~UserHealer() = default;

void UserHealer::login_refused(const CacheRoute& route, const LoginRefusal& refusal,
                               const DirectoryRef& directory) {
  const std::lock_guard lock(mutex_);
  History& history = histories_[route.name()];
  const MonotonicTime now = time_.monotonic();
  if (now - history.last > kForgetAfter) history.backoff.succeeded();
  if (!history.backoff.may_try(now)) return;
  history.last = now;
  history.backoff.failed(now);
  const Cell* cell = route.cell_in(*directory);
  const bool can_heal = cell != nullptr && !cell->cache.administrator.empty();
  log_error(
      "Redis refuses a login of the cache door: its users are not those of this platform file",
      {{"route", route.name()},
       {"server", refusal.server.to_string()},
       {"reason", refusal.problem},
       {"next", can_heal ? "the door makes them again"
                         : "run `partywall cache provision`, or give the door an "
                           "`administrator` for this cache"}});
  if (!can_heal) return;
  waiting_.push_back({.cell = *cell,
                      .instance = route.instance(),
                      .tenants = tenants_in(*directory, route.instance()),
                      .route = route.name()});
  changed_.notify_all();
}

void UserHealer::wait_until_idle_for_test() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.empty() && !busy_; });
}

void UserHealer::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
    const Work work = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    busy_ = true;
    lock.unlock();
    heal(work);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void UserHealer::heal(const Work& work) {
  const auto done = provision_(work.cell.cache, work.instance, work.tenants);
  if (done) {
    log_warning("the cache door has made the users of a Redis again",
                {{"route", work.route}, {"tenants", std::to_string(work.tenants.size())}});
  } else {
    log_error("the cache door cannot make the users of a Redis again",
              {{"route", work.route}, {"reason", done.error().message}});
  }
}

}  // namespace partywall::cache
