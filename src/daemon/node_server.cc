#include "daemon/node_server.h"

#include <algorithm>
#include <thread>

#include "admin/cache_use.h"
#include "admin/fleet_control.h"
#include "admin/node_status.h"
#include "admin/router.h"
#include "admin/server.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cache/door.h"
#include "cluster/node.h"
#include "daemon/door_settings.h"
#include "daemon/open_files.h"
#include "http/door/door.h"
#include "net/worker.h"
#include "policy/tenant_states.h"
#include "sql/door/door.h"
#include "store/control_store_options.h"
#include "tenancy/cache_address.h"

namespace partywall::daemon {
namespace {

// The fleet of one node has nobody to contend with.
constexpr fleet::FencingNumber kOnlyLeader(1);

unsigned worker_count(const store::NodeSettings& settings) {
  return settings.workers != 0 ? settings.workers
                               : std::max(1U, std::thread::hardware_concurrency());
}

store::NodeSettings within_open_files(store::NodeSettings settings) {
  const uint64_t limit = raise_open_file_limit();
  for (const std::string& lowered : fit_to_open_files(settings, worker_count(settings), limit)) {
    log_warning(
        "the doors take fewer clients, as this process may open no more files: raise "
        "LimitNOFILE (systemd) or ulimit -Hn",
        {{"lowered", lowered}, {"limit", limit}});
  }
  return settings;
}

}  // namespace

// The parts in the order in which they are made; they end in the reverse order.
struct NodeServer::Impl {
  Impl(const store::NodeSettings& given_settings, DirectoryRef first, const TimeSource& time,
       Random& random)
      : settings(given_settings),
        directory(std::move(first)),
        workers(worker_count(settings), time),
        node{.workers = workers,
             .directory = directory,
             .tenants = tenants,
             .metrics = metrics,
             .usage = usage,
             .time = time,
             .random = random} {}
  ~Impl() {
    if (usage_reporter) metrics.remove(*usage_reporter);
    if (limits) metrics.remove(*limits);
    if (status) metrics.remove(*status);
    if (fleet) metrics.remove(*fleet);
  }

  store::NodeSettings settings;
  DirectoryFeed directory;
  MetricRegistry metrics;
  UsageRegistry usage;
  TenantStates tenants;
  net::WorkerGroup workers;
  Node node;
  std::unique_ptr<LimitStore> limits;
  DirectoryFeed::Subscription limits_watch;
  std::unique_ptr<sql::Door> sql;
  std::unique_ptr<cache::Door> cache;
  std::unique_ptr<http::Door> http;
  std::unique_ptr<store::UsageReporter> usage_reporter;
  Secret operator_token;
  std::unique_ptr<fleet::FleetLoop> fleet;
  admin::Router router;
  std::unique_ptr<admin::NodeStatus> status;
  std::unique_ptr<admin::Server> admin;

  Result<> start_limits(const TimeSource& time, Random& random);
  void watch_limits();
  Result<> start_doors();
  void start_fleet(const FleetParts& parts);
  Result<> start_admin(const store::DirectorySource* source);
  [[nodiscard]] std::vector<admin::DoorStatus> door_statuses() const;
};

Result<> NodeServer::Impl::start_limits(const TimeSource& time, Random& random) {
  if (!settings.cluster.limits) return {};
  auto started = LimitStore::start(limit_store_settings(settings.cluster, store::host_name()),
                                   tenants, time, random);
  if (!started) return std::unexpected(started.error());
  limits = *std::move(started);
  node.limits = limits.get();
  metrics.add(*limits);
  watch_limits();
  return {};
}

// Cells may come from elsewhere than the platform file, and later: reading that has not seen them.
void NodeServer::Impl::watch_limits() {
  limits_watch = directory.subscribe([this](const DirectoryRef& published) {
    const Endpoint& store = settings.cluster.limits->endpoint;
    const Cell* cell = cell_with_cache_at(published->cells(), store);
    if (cell == nullptr) return;
    log_error(
        "tenants reach the limits store, and can change the limits of all: give it a Redis of "
        "its own",
        {{"store", store.to_string()}, {"cell", cell->name}});
  });
}

Result<> NodeServer::Impl::start_doors() {
  const store::DoorListeners& listen = settings.listen;
  if (listen.sql) {
    auto started = sql::Door::start(sql_door_settings(*listen.sql, settings.sql), node);
    if (!started) return fail_with_context("sql door", started.error());
    sql = *std::move(started);
  }
  if (listen.cache) {
    auto started = cache::Door::start(cache_door_settings(*listen.cache, settings.cache), node);
    if (!started) return fail_with_context("cache door", started.error());
    cache = *std::move(started);
  }
  // The last one: what it lets in needs the others.
  if (listen.http) {
    auto started = http::Door::start(
        http_door_settings(*listen.http, settings.http, settings.access_log), node);
    if (!started) return fail_with_context("http door", started.error());
    http = *std::move(started);
  }
  return {};
}

void NodeServer::Impl::start_fleet(const FleetParts& parts) {
  if (!parts.provider || !http) return;
  fleet = std::make_unique<fleet::FleetLoop>(fleet::FleetLoop::Parts{.provider = *parts.provider,
                                                                     .directory = directory,
                                                                     .loads = http->loads(),
                                                                     .time = node.time,
                                                                     .leader = kOnlyLeader});
  metrics.add(*fleet);
  operator_token = parts.operator_token;
  admin::add_fleet_handlers(router, *fleet, operator_token);
}

std::vector<admin::DoorStatus> NodeServer::Impl::door_statuses() const {
  std::vector<admin::DoorStatus> doors;
  if (http) doors.push_back({.name = "http", .endpoint = http->endpoint().to_string()});
  if (sql) doors.push_back({.name = "sql", .endpoint = sql->endpoint().to_string()});
  if (cache) doors.push_back({.name = "cache", .endpoint = cache->endpoint().to_string()});
  return doors;
}

Result<> NodeServer::Impl::start_admin(const store::DirectorySource* source) {
  status = std::make_unique<admin::NodeStatus>(directory, node.time, door_statuses(), source);
  if (limits) status->set_limits(limits->shared());
  metrics.add(*status);
  admin::add_node_handlers(router, metrics, *status);
  if (cache) admin::add_cache_handlers(router, *cache);
  if (!settings.listen.admin) return {};
  auto started =
      admin::Server::start(admin_server_settings(*settings.listen.admin), router, node.time);
  if (!started) return fail_with_context("admin port", started.error());
  admin = *std::move(started);
  return {};
}

NodeServer::NodeServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeServer::~NodeServer() = default;

Result<std::unique_ptr<NodeServer>> NodeServer::start(const store::NodeSettings& settings,
                                                      DirectoryRef directory,
                                                      const TimeSource& time, Random& random,
                                                      const store::DirectorySource* source,
                                                      FleetParts fleet) {
  auto impl =
      std::make_unique<Impl>(within_open_files(settings), std::move(directory), time, random);
  if (auto started = impl->start_limits(time, random); !started)
    return std::unexpected(started.error());
  if (auto started = impl->start_doors(); !started) return std::unexpected(started.error());
  impl->start_fleet(fleet);
  if (auto started = impl->start_admin(source); !started) return std::unexpected(started.error());
  return std::unique_ptr<NodeServer>(new NodeServer(std::move(impl)));
}

NodeEndpoints NodeServer::endpoints() const {
  NodeEndpoints endpoints;
  if (impl_->http) endpoints.http = impl_->http->endpoint();
  if (impl_->sql) endpoints.sql = impl_->sql->endpoint();
  if (impl_->cache) endpoints.cache = impl_->cache->endpoint();
  if (impl_->admin) endpoints.admin = impl_->admin->endpoint();
  return endpoints;
}

DirectoryFeed& NodeServer::directory() { return impl_->directory; }

fleet::FleetLoop* NodeServer::fleet() { return impl_->fleet.get(); }

void NodeServer::drain() {
  impl_->status->start_draining();
  // One time for all of them, whoever uses it up.
  const TimeSource& time = impl_->node.time;
  const MonotonicTime end = time.monotonic() + impl_->settings.drain_timeout;
  const auto left = [&] { return std::max(end - time.monotonic(), Duration(0)); };
  // The http door first: its requests still need the others.
  if (impl_->http) impl_->http->drain(left());
  if (impl_->sql) impl_->sql->drain(left());
  if (impl_->cache) impl_->cache->drain(left());
  // When nothing is counted any more.
  if (impl_->usage_reporter) impl_->usage_reporter->finish();
}

Result<> NodeServer::report_usage(store::UsageReporterSettings settings) {
  auto started = store::UsageReporter::start(std::move(settings), impl_->usage, impl_->directory,
                                             impl_->node.time, impl_->node.random);
  if (!started) return std::unexpected(started.error());
  impl_->usage_reporter = *std::move(started);
  impl_->metrics.add(*impl_->usage_reporter);
  return {};
}

}  // namespace partywall::daemon
