#include "cache/door.h"

#include <chrono>
#include <thread>

#include "base/log.h"
#include "cache/door_metrics.h"
#include "cache/door_worker.h"
#include "cache/provision.h"
#include "cluster/limit_store.h"
#include "net/listener.h"

namespace partywall::cache {

namespace {

Result<> heal_users(const CacheBackend& backend, const CacheInstance& instance,
                    const std::vector<Tenant>& tenants) {
  const RedisAdministrator administrator{.user = backend.administrator,
                                         .password = backend.administrator_password};
  return provision_redis(backend, instance, administrator, tenants, OldTenants::kKeep);
}

}  // namespace

struct Door::Impl {
  Impl(DoorSettings door_settings, Node& door_node)
      : settings(std::move(door_settings)), node(door_node), healer(door_node.time, &heal_users) {}

  Result<> make_workers() {
    const auto count = static_cast<unsigned>(node.workers.size());
    const DoorWorker::Shared shared{
        .seats = seats,
        .clients = clients,
        .scripts = scripts,
        .slow_log = slow_log,
        .quotas = quotas,
        .loads = loads,
        .scripts_under_way = scripts_under_way,
        .live_nodes = node.limits == nullptr ? nullptr : &node.limits->shared()};
    for (unsigned i = 0; i < count; ++i) {
      std::unique_ptr<net::TlsContext> tls;
      if (settings.tls) {
        auto context = net::TlsContext::server(*settings.tls);
        if (!context) return fail_with_context("the cache door", context.error());
        tls = std::move(*context);
      }
      workers.push_back(std::make_unique<DoorWorker>(
          node.workers[i], settings, open_desk(node.limits, node.tenants, node.workers[i]), shared,
          healer, std::move(tls), DoorWorker::Position{.index = i, .count = count}));
      clients.set_deliver(i, [this, i](uint64_t client, ClientOrder order, std::string key) {
        node.workers[i].post([&worker = *workers[i], client, order, key = std::move(key)] {
          worker.order(client, order, key);
        });
      });
    }
    return {};
  }

  // Without one no token is accepted.
  IssuerVerifier verifier_of(const Directory& directory) {
    auto verifier = verifiers.of(directory.issuers());
    if (verifier) return *std::move(verifier);
    log_error("the cache door accepts no JSON Web Tokens", {{"reason", verifier.error().message}});
    return {};
  }

  DoorWorker& worker_of(const net::Worker& worker) { return *workers[worker.index()]; }

  void stop_accepting() {
    node.workers.run_on_each(
        [this](net::Worker& worker) { bound.listeners[worker.index()]->close(); });
    subscription.cancel();
  }

  [[nodiscard]] uint64_t counted(TenantNumber tenant, CacheMeter meter) const {
    uint64_t sum = 0;
    for (const auto& worker : workers) sum += worker->meters().value(tenant, meter);
    return sum;
  }

  [[nodiscard]] uint32_t connections() const {
    uint32_t sum = 0;
    for (const auto& worker : workers) sum += worker->connections();
    return sum;
  }

  DoorSettings settings;
  Node& node;
  UserHealer healer;
  ClientSeats seats{settings.max_tenant_connections};
  ClientRegister clients{static_cast<unsigned>(node.workers.size())};
  ScriptRegister scripts;
  SlowLog slow_log;
  QuotaBook quotas;
  LoadBook loads;
  ScriptFlights scripts_under_way;
  std::vector<std::unique_ptr<DoorWorker>> workers;
  IssuerVerifiers verifiers;
  net::BoundListeners bound;
  DirectoryFeed::Subscription subscription;
  bool stopped = false;
};

Result<std::unique_ptr<Door>> Door::start(DoorSettings settings, Node& node) {
  auto impl = std::make_unique<Impl>(std::move(settings), node);
  if (auto made = impl->make_workers(); !made) return std::unexpected(made.error());
  auto bound = net::bind_listeners(node.workers, impl->settings.listen);
  if (!bound) return fail_with_context("the cache door", bound.error());
  impl->bound = std::move(*bound);
  Impl& door = *impl;
  // Calls back at once: every worker has a directory before it accepts anybody.
  door.subscription = node.directory.subscribe([&door](const DirectoryRef& directory) {
    const IssuerVerifier issuers = door.verifier_of(*directory);
    for (size_t i = 0; i < door.workers.size(); ++i) {
      door.node.workers[i].post([&worker = *door.workers[i], directory, issuers] {
        worker.set_directory(directory, issuers);
      });
    }
  });
  node.workers.run_on_each([&door](net::Worker& worker) {
    DoorWorker& part = door.worker_of(worker);
    part.start();
    door.bound.listeners[worker.index()]->start(
        [&part](std::unique_ptr<net::Stream> stream) { part.accept(std::move(stream)); });
  });
  log_info("the cache door listens", {{"endpoint", door.bound.endpoint.to_string()}});
  return std::unique_ptr<Door>(new Door(std::move(impl)));
}

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->node.metrics.add(*this);
  impl_->node.usage.add(*this);
}

Door::~Door() {
  impl_->node.metrics.remove(*this);
  impl_->node.usage.remove(*this);
  drain(Duration(0));
}

Endpoint Door::endpoint() const { return impl_->bound.endpoint; }

void Door::drain(Duration timeout) {
  if (std::exchange(impl_->stopped, true)) return;
  constexpr Duration kPoll = milliseconds(10);
  impl_->stop_accepting();
  impl_->node.workers.run_on_each(
      [this](net::Worker& worker) { impl_->worker_of(worker).drain(); });
  const MonotonicTime end = impl_->node.time.monotonic() + timeout;
  while (impl_->connections() > 0 && impl_->node.time.monotonic() < end)
    std::this_thread::sleep_for(kPoll);
  for (size_t i = 0; i < impl_->workers.size(); ++i) {
    impl_->node.workers.run_until_done(impl_->node.workers[i],
                                       [&part = *impl_->workers[i]] { return part.stop(); });
  }
}

std::optional<TenantUse> Door::use_of(std::string_view name) const {
  const DirectoryRef directory = impl_->node.directory.current();
  const Tenant* tenant = directory->find_tenant_by_name(name);
  if (tenant == nullptr) return std::nullopt;
  const auto sum = [&](CacheMeter meter) { return impl_->counted(tenant->number, meter); };
  TenantUse use{.tenant = tenant->slug,
                .limits = tenant->limits,
                .hits = sum(CacheMeter::kHits),
                .misses = sum(CacheMeter::kMisses),
                .evicted_keys = sum(CacheMeter::kEvicted),
                .refused = sum(CacheMeter::kOverQuota),
                .nothing_to_evict = sum(CacheMeter::kNothingToEvict)};
  if (const auto quota = impl_->quotas.find(tenant->id)) {
    use.usage = quota->usage();
    const uint64_t keys = keys_that_fit(use.limits, use.usage);
    use.hit_rate_at_quota = quota->hit_rates().hit_rate(keys);
    use.hit_rate_at_double = quota->hit_rates().hit_rate(2 * keys);
  }
  return use;
}

void Door::add_usage(TenantNumber tenant, UsageCounts& counts) const {
  const auto sum = [&](CacheMeter meter) { return impl_->counted(tenant, meter); };
  counts.add(UsageMeter::kCacheCommands, sum(CacheMeter::kCommands));
  counts.add(UsageMeter::kCacheHits, sum(CacheMeter::kHits));
  counts.add(UsageMeter::kCacheMisses, sum(CacheMeter::kMisses));
  counts.add(UsageMeter::kCacheReceivedBytes, sum(CacheMeter::kBytesIn));
  counts.add(UsageMeter::kCacheSentBytes, sum(CacheMeter::kBytesOut));
}

void Door::write_metrics(MetricWriter& writer) const {
  std::vector<const DoorWorker*> workers;
  for (const auto& worker : impl_->workers) workers.push_back(worker.get());
  write_door_metrics(writer, workers, *impl_->node.directory.current());
}

}  // namespace partywall::cache
