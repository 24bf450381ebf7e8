#include "http/door/door.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cluster/limit_store.h"
#include "http/door/door_directory.h"
#include "http/door/door_metrics.h"
#include "http/door/door_worker.h"
#include "http/upstream/health_checker.h"
#include "net/listener.h"

namespace partywall::http {
namespace {

constexpr auto kDrainPoll = milliseconds(5);

}  // namespace

struct Door::Impl {
  Impl(DoorSettings its_settings, Node& its_node, LineLog log)
      : settings(std::move(its_settings)),
        node(its_node),
        access_log(std::move(log)),
        metrics(node.directory, health),
        loads(std::make_shared<PoolLoadBoard>(node.workers.size())) {}
  ~Impl();

  Result<> start();
  Result<std::vector<std::unique_ptr<net::TlsContext>>> make_tls();
  void make_workers(std::vector<std::unique_ptr<net::TlsContext>> tls);
  void follow_directory();
  void on_each(const std::function<void(DoorWorker&, net::Listener&)>& work);
  void drain(Duration timeout);
  [[nodiscard]] bool has_sessions() const;

  DoorSettings settings;
  Node& node;
  LineLog access_log;
  HealthRegistry health;
  DoorMetrics metrics;
  std::shared_ptr<PoolLoadBoard> loads;
  DoorDirectories directories;
  net::BoundListeners listeners;
  std::vector<std::unique_ptr<DoorWorker>> workers;  // as node.workers
  std::unique_ptr<HealthChecker> checker;            // on the first worker
  DirectoryFeed::Subscription subscription;
};

Result<> Door::Impl::start() {
  if (auto usable = directories.make(node.directory.current()); !usable) {
    return fail_with_context("the http door cannot use the directory", usable.error());
  }
  auto bound = net::bind_listeners(node.workers, settings.listen);
  if (!bound) return fail_with_context("the http door cannot listen", bound.error());
  auto tls = make_tls();
  if (!tls) return fail_with_context("the http door cannot use its certificate", tls.error());
  listeners = std::move(*bound);
  make_workers(std::move(*tls));
  follow_directory();
  on_each([](DoorWorker& worker, net::Listener& listener) {
    listener.start(
        [&worker](std::unique_ptr<net::Stream> stream) { worker.accept(std::move(stream)); });
  });
  node.metrics.add(metrics);
  node.usage.add(metrics);
  return {};
}

// OpenSSL 3.0 contends on the locks of a shared context: each worker gets its own.
Result<std::vector<std::unique_ptr<net::TlsContext>>> Door::Impl::make_tls() {
  std::vector<std::unique_ptr<net::TlsContext>> contexts(node.workers.size());
  if (!settings.tls) return contexts;
  for (auto& context : contexts) {
    auto made = net::TlsContext::server(*settings.tls);
    if (!made) return std::unexpected(made.error());
    context = std::move(*made);
  }
  return contexts;
}

void Door::Impl::make_workers(std::vector<std::unique_ptr<net::TlsContext>> tls) {
  const auto count = static_cast<uint32_t>(node.workers.size());
  uint32_t& bound = settings.queue.max_requests_per_instance;
  bound = share_of(bound, count);
  const auto board = std::make_shared<TurnBoard>();
  workers.resize(count);
  node.workers.run_on_each([&](net::Worker& worker) {
    const unsigned index = worker.index();
    workers[index] = std::make_unique<DoorWorker>(
        worker, DoorWorker::Parts{.settings = settings,
                                  .desk = open_desk(node.limits, node.tenants, worker),
                                  .board = board,
                                  .health = health,
                                  .loads = loads,
                                  .index = index,
                                  .access_log = access_log,
                                  .random_seed = node.random.next_u64(),
                                  .tls = std::move(tls[index])});
    if (index == 0) checker = std::make_unique<HealthChecker>(worker, health);
  });
  for (const auto& worker : workers) metrics.add(worker->metrics());
}

// The callback comes at once with the current directory, and later on other threads, one at a time.
void Door::Impl::follow_directory() {
  subscription = node.directory.subscribe([this](const DirectoryRef& directory) {
    const auto next = directories.make(directory);
    if (!next) {
      log_error("http door: a new directory cannot be used; the last one stays in force",
                {{"version", directory->version()}, {"reason", next.error().message}});
      return;
    }
    for (size_t i = 0; i < workers.size(); ++i) {
      node.workers[i].post([this, i, door_directory = *next] {
        workers[i]->update(door_directory);
        if (i == 0) checker->update(*door_directory->directory);
      });
    }
  });
}

void Door::Impl::on_each(const std::function<void(DoorWorker&, net::Listener&)>& work) {
  node.workers.run_on_each([&](net::Worker& worker) {
    work(*workers[worker.index()], *listeners.listeners[worker.index()]);
  });
}

bool Door::Impl::has_sessions() const {
  return std::ranges::any_of(workers, [](const auto& worker) {
    const WorkerMetrics& counted = worker->metrics();
    return counted.value(DoorCounter::kConnectionsClosed) <
           counted.value(DoorCounter::kConnections);
  });
}

void Door::Impl::drain(Duration timeout) {
  on_each([](DoorWorker& worker, net::Listener& listener) {
    listener.close();
    worker.begin_drain();
  });
  const MonotonicTime end = node.time.monotonic() + timeout;
  while (has_sessions() && node.time.monotonic() < end) std::this_thread::sleep_for(kDrainPoll);
  on_each([](DoorWorker& worker, net::Listener&) { worker.close_all(); });
}

Door::Impl::~Impl() {
  if (workers.empty()) return;
  subscription.cancel();
  node.metrics.remove(metrics);
  node.usage.remove(metrics);
  drain(Duration(0));
  for (size_t i = 0; i < workers.size(); ++i) {
    node.workers.run_until_done(node.workers[i], [this, i] { return workers[i]->stop(); });
  }
  node.workers.run_until_done(node.workers[0], [this] { return checker->stop(); });
  node.workers.run_on_each([this](net::Worker& worker) {
    workers[worker.index()].reset();
    if (worker.index() == 0) checker.reset();
  });
}

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Door::~Door() = default;

Result<std::unique_ptr<Door>> Door::start(DoorSettings settings, Node& node) {
  auto access_log = LineLog::open(settings.access_log);
  if (!access_log) return std::unexpected(access_log.error());
  auto impl = std::make_unique<Impl>(std::move(settings), node, std::move(*access_log));
  if (auto started = impl->start(); !started) return std::unexpected(started.error());
  return std::unique_ptr<Door>(new Door(std::move(impl)));
}

PoolLoadSource& Door::loads() { return *impl_->loads; }

Endpoint Door::endpoint() const { return impl_->listeners.endpoint; }

void Door::drain(Duration timeout) { impl_->drain(timeout); }

}  // namespace partywall::http
