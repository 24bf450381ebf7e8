#include "fleet/loop/fleet_loop.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "fleet/instance_publisher.h"
#include "fleet/loop/processor_meter.h"

namespace partywall::fleet {
namespace {

constexpr Duration kPace = seconds(1);
constexpr Duration kStaleLoad = seconds(10);     // the door writes four times a second
constexpr size_t kKeptEvents = 1'000;            // of each pool
constexpr Duration kStopPatience = seconds(10);  // between asking an instance and ending it
constexpr Duration kKillTakes = seconds(10);     // until the machine has ended what is killed
constexpr std::array<MetricFamily, 5> kFamilies = {{
    {"partywall_fleet_desired_instances", MetricType::kGauge,
     "Instances that the pool is to have, by cell and pool"},
    {"partywall_fleet_ready_instances", MetricType::kGauge,
     "Instances of the pool that get requests, by cell and pool"},
    {"partywall_fleet_instances", MetricType::kGauge,
     "Instances of the pool that are there, by cell and pool"},
    {"partywall_fleet_braked", MetricType::kGauge,
     "1 while so many instances are unhealthy that none is replaced, by cell and pool"},
    {"partywall_fleet_events", MetricType::kCounter,
     "What was done to the pool, by cell, pool and kind"},
}};

// One pool: its keeper and what the loop knows of it. Guarded by the loop's mutex, but for the
// publisher, which the provider's thread calls too.
struct KeptPool {
  FleetPool settings;
  PoolKeeper keeper;
  ProcessorMeter processors;
  std::unique_ptr<InstancePublisher> publisher;
  PoolView view;  // the last one
  std::string trouble;
  std::deque<PoolEvent> history;
  std::array<uint64_t, kPoolEventKinds> events{};
};

}  // namespace

struct FleetLoop::Impl {
  explicit Impl(Parts given) : parts(given) {}

  Parts parts;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  bool asked = false;  // an operator does not wait for the next step
  std::vector<std::unique_ptr<KeptPool>> pools;
  std::jthread thread;  // last: ends first

  void run(const std::stop_token& stop);
  void ask() {
    asked = true;
    wake.notify_all();
  }
  void step(KeptPool& pool);
  [[nodiscard]] Result<PoolView> look(KeptPool& pool) const;
  Result<> carry_out(const KeptPool& pool, const PoolOrders& orders) const;
  void keep_events(KeptPool& pool) const;
  [[nodiscard]] Result<KeptPool*> find(std::string_view cell, std::string_view pool) const;
  Result<> operate(std::string_view cell, std::string_view pool,
                   const std::function<Result<>(PoolKeeper&, WallTime)>& act);
  [[nodiscard]] PoolStatus status_of(const KeptPool& pool) const;
};

void FleetLoop::Impl::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    asked = false;
    for (const auto& pool : pools) step(*pool);
    wake.wait_for(lock, stop, kPace, [this] { return asked; });
  }
}

Result<PoolView> FleetLoop::Impl::look(KeptPool& pool) const {
  const FleetPool& settings = pool.settings;
  const auto observed = parts.provider.observe(settings.group);
  if (!observed) return std::unexpected(observed.error());
  PoolView view{.now = parts.time.monotonic(),
                .wall = parts.time.wall(),
                .load = parts.loads.load(settings.cell, settings.pool)};
  if (view.load && view.now - view.load->at > kStaleLoad) view.load.reset();
  const auto use = parts.provider.measure(settings.group);
  view.cpu = pool.processors.look(view.now, use);
  for (const ObservedInstance& instance : *observed) {
    InstanceView one{.observed = instance};
    if (view.load) {
      const InstanceLoad* load = view.load->find(instance.id.value(), instance.endpoint);
      if (load != nullptr) one.load = *load;
    }
    if (const auto found = use.find(instance.id); found != use.end()) {
      one.memory_bytes = found->second.memory_bytes;
    }
    view.instances.push_back(std::move(one));
  }
  return view;
}

Result<> FleetLoop::Impl::carry_out(const KeptPool& pool, const PoolOrders& orders) const {
  const FleetPool& settings = pool.settings;
  pool.publisher->set_draining(orders.draining);
  if (!orders.remove.empty()) {
    if (auto begun = parts.provider.remove(orders.remove, kStopPatience); !begun) return begun;
  }
  return parts.provider.ensure(settings.group, settings.spec, orders.count, parts.leader);
}

void FleetLoop::Impl::step(KeptPool& pool) {
  auto view = look(pool);
  Result<> done = view ? Result<>() : std::unexpected(view.error());
  if (view) {
    pool.view = *std::move(view);
    done = carry_out(pool, pool.keeper.step(pool.view));
  }
  keep_events(pool);
  const std::string trouble = done ? "" : done.error().message;
  if (trouble != pool.trouble && !trouble.empty()) {
    log_error("a pool cannot be kept as it should be",
              {{"cell", pool.settings.cell}, {"pool", pool.settings.pool}, {"error", trouble}});
  }
  pool.trouble = trouble;
}

void FleetLoop::Impl::keep_events(KeptPool& pool) const {
  for (PoolEvent& event : pool.keeper.take_events()) {
    const bool is_alarm =
        event.kind == PoolEventKind::kBraked || event.kind == PoolEventKind::kLaunchFailed;
    log(is_alarm ? LogLevel::kError : LogLevel::kInfo, "fleet",
        {{"cell", pool.settings.cell},
         {"pool", pool.settings.pool},
         {"event", to_string(event.kind)},
         {"text", event.text}});
    ++pool.events[static_cast<size_t>(event.kind)];
    pool.history.push_front(std::move(event));
  }
  while (pool.history.size() > kKeptEvents) pool.history.pop_back();
}

Result<KeptPool*> FleetLoop::Impl::find(std::string_view cell, std::string_view pool) const {
  for (const auto& kept : pools) {
    if (kept->settings.cell == cell && kept->settings.pool == pool) return kept.get();
  }
  return fail(ErrorKind::kNotFound, "the fleet of this node has no pool '{}' in a cell '{}'", pool,
              cell);
}

Result<> FleetLoop::Impl::operate(std::string_view cell, std::string_view pool,
                                  const std::function<Result<>(PoolKeeper&, WallTime)>& act) {
  const std::lock_guard lock(mutex);
  const auto found = find(cell, pool);
  if (!found) return std::unexpected(found.error());
  if (auto done = act((*found)->keeper, parts.time.wall()); !done) return done;
  keep_events(**found);
  ask();
  return {};
}

PoolStatus FleetLoop::Impl::status_of(const KeptPool& pool) const {
  const PoolKeeper& keeper = pool.keeper;
  const MonotonicTime now = parts.time.monotonic();
  PoolStatus status{.cell = pool.settings.cell,
                    .pool = pool.settings.pool,
                    .version = pool.settings.spec.version,
                    .bounds = pool.settings.keeping.scaling.bounds,
                    .capacity = keeper.capacity(),
                    .paused = keeper.paused(),
                    .braked = keeper.braked(),
                    .offered_load = keeper.signal(kOfferedLoad, now),
                    .request_rate = keeper.signal(kRequestRate, now),
                    .cpu = keeper.signal(kCpu, now),
                    .explanation = keeper.explanation(),
                    .trouble = pool.trouble};
  status.capacity.desired = keeper.desired();
  for (const InstanceView& instance : pool.view.instances) {
    status.instances.push_back({.view = instance,
                                .health = keeper.health_of(instance),
                                .draining = keeper.is_leaving(instance)});
  }
  return status;
}

FleetLoop::FleetLoop(Parts parts) : impl_(std::make_unique<Impl>(parts)) {
  Impl& shared = *impl_;
  impl_->thread = std::jthread([&shared](const std::stop_token& stop) { shared.run(stop); });
}

FleetLoop::~FleetLoop() = default;

Result<> FleetLoop::keep(FleetPool pool) {
  const Cell* cell = impl_->parts.directory.current()->find_cell(pool.cell);
  if (!cell || !cell->find_pool(pool.pool)) {
    return fail(ErrorKind::kNotFound, "the directory has no pool '{}' in a cell '{}'", pool.pool,
                pool.cell);
  }
  PoolKeeper keeper(pool.keeping);
  auto publisher = std::make_unique<InstancePublisher>(
      impl_->parts.provider, impl_->parts.directory,
      PoolPlacement{.group = pool.group, .cell = pool.cell, .pool = pool.pool});
  impl_->parts.loads.measure(pool.cell, pool.pool);
  const std::lock_guard lock(impl_->mutex);
  impl_->pools.push_back(std::make_unique<KeptPool>(KeptPool{.settings = std::move(pool),
                                                             .keeper = std::move(keeper),
                                                             .publisher = std::move(publisher)}));
  impl_->ask();
  return {};
}

Result<> FleetLoop::end_all(Duration drain) {
  std::vector<std::unique_ptr<KeptPool>> pools;
  {
    const std::lock_guard lock(impl_->mutex);
    pools = std::exchange(impl_->pools, {});
  }
  std::vector<InstanceId> ids;
  for (const auto& pool : pools) {
    const auto observed = impl_->parts.provider.observe(pool->settings.group);
    if (!observed) return std::unexpected(observed.error());
    for (const ObservedInstance& instance : *observed) ids.push_back(instance.id);
  }
  if (auto begun = impl_->parts.provider.remove(ids, drain); !begun) return begun;
  return impl_->parts.provider.wait_until_gone(ids, drain + kKillTakes);
}

std::vector<PoolStatus> FleetLoop::status() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<PoolStatus> all;
  for (const auto& pool : impl_->pools) all.push_back(impl_->status_of(*pool));
  return all;
}

Result<std::vector<PoolEvent>> FleetLoop::history(std::string_view cell,
                                                  std::string_view pool) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->find(cell, pool);
  if (!found) return std::unexpected(found.error());
  return std::vector<PoolEvent>((*found)->history.begin(), (*found)->history.end());
}

Result<> FleetLoop::scale(std::string_view cell, std::string_view pool, uint32_t count) {
  return impl_->operate(
      cell, pool, [count](PoolKeeper& keeper, WallTime now) { return keeper.scale(count, now); });
}

Result<> FleetLoop::pause(std::string_view cell, std::string_view pool) {
  return impl_->operate(cell, pool, [](PoolKeeper& keeper, WallTime now) {
    keeper.pause(now);
    return Result<>();
  });
}

Result<> FleetLoop::resume(std::string_view cell, std::string_view pool) {
  return impl_->operate(cell, pool, [](PoolKeeper& keeper, WallTime now) {
    keeper.resume(now);
    return Result<>();
  });
}

void FleetLoop::write_metrics(MetricWriter& writer) const {
  const std::lock_guard lock(impl_->mutex);
  const auto write = [&](const MetricFamily& family, auto value_of) {
    writer.family(family);
    for (const auto& pool : impl_->pools) {
      writer.sample(value_of(*pool),
                    {{"cell", pool->settings.cell}, {"pool", pool->settings.pool}});
    }
  };
  write(kFamilies[0], [](const KeptPool& pool) { return pool.keeper.desired(); });
  write(kFamilies[1], [](const KeptPool& pool) { return pool.keeper.capacity().ready; });
  write(kFamilies[2], [](const KeptPool& pool) { return uint64_t{pool.view.instances.size()}; });
  write(kFamilies[3], [](const KeptPool& pool) { return pool.keeper.braked() ? 1 : 0; });
  writer.family(kFamilies[4]);
  for (const auto& pool : impl_->pools) {
    for (size_t kind = 0; kind < kPoolEventKinds; ++kind) {
      writer.sample(pool->events[kind], {{"cell", pool->settings.cell},
                                         {"pool", pool->settings.pool},
                                         {"kind", to_string(static_cast<PoolEventKind>(kind))}});
    }
  }
}

}  // namespace partywall::fleet
