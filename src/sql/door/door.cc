#include "sql/door/door.h"

#include <chrono>
#include <thread>

#include "base/log.h"
#include "net/listener.h"
#include "sql/door/door_metrics.h"
#include "sql/door/door_worker.h"

namespace partywall::sql {

struct Door::Impl {
  Impl(DoorSettings door_settings, Node& door_node)
      : settings(std::move(door_settings)),
        node(door_node),
        shared{.settings = settings,
               .tenants = node.tenants,
               .seats = seats,
               .random = node.random,
               .limits = node.limits,
               .slow_log = &slow_log,
               .workers = {}} {
    shared.repair_slot = [this](SlotRepair repair) { keeper.submit(std::move(repair)); };
  }

  Result<> make_workers() {
    for (size_t i = 0; i < node.workers.size(); ++i) {
      std::unique_ptr<net::TlsContext> tls;
      if (settings.tls) {
        auto context = net::TlsContext::server(*settings.tls);
        if (!context) return fail_with_context("the sql door", context.error());
        tls = std::move(*context);
      }
      shared.workers.push_back(std::make_unique<DoorWorker>(
          node.workers[i], static_cast<unsigned>(i), shared, std::move(tls)));
    }
    return {};
  }

  void pass_on(const DirectoryRef& directory) {
    std::shared_ptr<const JwtVerifier> jwt;
    if (auto verifier = JwtVerifier::create(directory->issuers())) {
      jwt = std::move(*verifier);
    } else {
      log_error("the sql door cannot use the issuers of tokens",
                {{"reason", verifier.error().message}});
    }
    for (size_t i = 0; i < shared.workers.size(); ++i) {
      node.workers[i].post(
          [&worker = *shared.workers[i], directory, jwt] { worker.set_directory(directory, jwt); });
    }
  }

  DoorWorker& worker_of(const net::Worker& worker) { return *shared.workers[worker.index()]; }

  [[nodiscard]] uint32_t clients() const {
    uint32_t sum = 0;
    for (const auto& worker : shared.workers) sum += worker->clients();
    return sum;
  }

  DoorSettings settings;
  ClientSeats seats{settings.max_tenant_clients};
  Node& node;
  SlowLog slow_log;
  DoorShared shared;
  SlotKeeper keeper;  // ends before the workers that it calls back
  net::BoundListeners bound;
  DirectoryFeed::Subscription subscription;
  bool is_stopped = false;
};

Result<std::unique_ptr<Door>> Door::start(DoorSettings settings, Node& node) {
  if (node.workers.size() > kMaxWorkers)
    return fail(ErrorKind::kInvalid, "the sql door runs on {} workers at most", kMaxWorkers);
  auto impl = std::make_unique<Impl>(std::move(settings), node);
  if (auto made = impl->make_workers(); !made) return std::unexpected(made.error());
  auto bound = net::bind_listeners(node.workers, impl->settings.listen);
  if (!bound) return fail_with_context("the sql door", bound.error());
  impl->bound = std::move(*bound);
  Impl& door = *impl;
  // Calls back at once: every worker has a directory before it accepts anybody.
  door.subscription =
      node.directory.subscribe([&door](const DirectoryRef& directory) { door.pass_on(directory); });
  node.workers.run_on_each([&door](net::Worker& worker) {
    DoorWorker& part = door.worker_of(worker);
    part.start();
    door.bound.listeners[worker.index()]->start(
        [&part](std::unique_ptr<net::Stream> stream) { part.accept(std::move(stream)); });
  });
  log_info("the sql door listens", {{"endpoint", door.bound.endpoint.to_string()}});
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
  if (std::exchange(impl_->is_stopped, true)) return;
  constexpr Duration kPoll = milliseconds(10);
  impl_->subscription.cancel();
  net::WorkerGroup& workers = impl_->node.workers;
  workers.run_on_each([this](net::Worker& worker) {
    impl_->bound.listeners[worker.index()]->close();
    impl_->worker_of(worker).drain();
  });
  const MonotonicTime end = impl_->node.time.monotonic() + timeout;
  while (impl_->clients() > 0 && impl_->node.time.monotonic() < end)
    std::this_thread::sleep_for(kPoll);
  impl_->keeper.stop();
  // A client on its way between two workers is served before the stop that was posted later.
  workers.run_on_each([](net::Worker&) {});
  for (size_t i = 0; i < workers.size(); ++i) {
    workers.run_until_done(workers[i], [&part = *impl_->shared.workers[i]] { return part.stop(); });
  }
}

void Door::write_metrics(MetricWriter& writer) const {
  write_door_metrics(writer, impl_->shared, *impl_->node.directory.current());
}

void Door::add_usage(TenantNumber tenant, UsageCounts& counts) const {
  constexpr uint64_t kNanosecondsPerMicrosecond = 1'000;
  const auto used = [&](SqlMeter meter) {
    return impl_->shared.workers.front()->used(tenant, meter);
  };
  counts.add(UsageMeter::kSqlStatements, used(SqlMeter::kStatements));
  counts.add(UsageMeter::kSqlTransactions, used(SqlMeter::kTransactions));
  counts.add(UsageMeter::kSqlErrors, used(SqlMeter::kErrors));
  counts.add(UsageMeter::kSqlSlow, used(SqlMeter::kSlow));
  counts.add(UsageMeter::kSqlBusyMicroseconds,
             used(SqlMeter::kBusyNanoseconds) / kNanosecondsPerMicrosecond);
  counts.add(UsageMeter::kSqlWaitMicroseconds,
             used(SqlMeter::kWaitNanoseconds) / kNanosecondsPerMicrosecond);
}

}  // namespace partywall::sql
