#include "cache/door_worker.h"

#include "net/timer.h"

namespace partywall::cache {
namespace {
constexpr Duration kSweepInterval = seconds(5);
}

DoorWorker::DoorWorker(net::Loop& loop, const DoorSettings& settings,
                       std::shared_ptr<LimitDesk> desk, const Shared& shared, UserHealer& healer,
                       std::unique_ptr<net::TlsContext> tls, Position position)
    : loop_(loop),
      settings_(settings),
      tls_(std::move(tls)),
      position_(position),
      desk_(std::move(desk)),
      registry_(settings.upstreams, *this,
                position.index == 0 ? UpstreamRegistry::Surveys::kOfIndexes
                                    : UpstreamRegistry::Surveys::kNone),
      host_{.limits = settings.sessions,
            .time = loop.time(),
            .limits_desk = *desk_,
            .upstreams = registry_,
            .meters = meters_,
            .random = random_,
            .seats = shared.seats,
            .clients = shared.clients,
            .scripts = shared.scripts,
            .slow_log = shared.slow_log,
            .quotas = shared.quotas,
            .loads = shared.loads,
            .scripts_under_way = shared.scripts_under_way,
            .live_nodes = shared.live_nodes},
      clients_(loop),
      upstreams_(loop) {
  if (position_.index == 0) {
    watches_.emplace(ServerWatches::Door{.network = *this,
                                         .registry = registry_,
                                         .time = loop.time(),
                                         .flights = shared.scripts_under_way,
                                         .loads = shared.loads,
                                         .meters = meters_});
  }
  registry_.on_login_refused([this, &healer](const CacheRoute& route, const LoginRefusal& refusal) {
    healer.login_refused(route, refusal, host_.directory);
  });
}

void DoorWorker::accept(std::unique_ptr<net::Stream> stream) {
  if (connections() >= settings_.max_connections) {
    refused_connections_.add();
    stream->write("-ERR max number of clients reached\r\n");
    return;
  }
  clients_.spawn(serve_client(std::move(stream)));
}

void DoorWorker::order(uint64_t client, ClientOrder order, const std::string& key) {
  for (SessionFsm* session : sessions_) {
    if (session->id() == client) return session->obey(order, key);
  }
}

void DoorWorker::set_directory(DirectoryRef directory, IssuerVerifier issuers) {
  host_.issuers = std::move(issuers);
  // The registry reads the one that it was given last.
  const DirectoryRef before = std::exchange(host_.directory, std::move(directory));
  upstream_tls_.clear();
  registry_.directory_changed(*host_.directory);
  if (watches_) watches_->set_directory(host_.directory);
  for (SessionFsm* session : sessions_) session->directory_changed();
}

void DoorWorker::start() {
  upstreams_.spawn(sweep_regularly());
  upstreams_.spawn(watch_routes());
  if (watches_) upstreams_.spawn(watch_servers());
}

net::Task<> DoorWorker::stop() {
  drain_.request_close();
  co_await clients_.join();
  if (host_.directory != nullptr) host_.indexes.flush(*host_.directory);
  registry_.finish_all();
  upstream_drain_.request_close();
  co_await upstreams_.join();
}

void DoorWorker::open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint,
                      const std::optional<TlsClientSettings>& tls) {
  upstreams_.spawn(run_upstream(std::move(upstream), endpoint, upstream_tls(tls)));
}

Result<std::shared_ptr<net::TlsContext>> DoorWorker::upstream_tls(
    const std::optional<TlsClientSettings>& settings) {
  if (!settings) return nullptr;
  for (const auto& [known, context] : upstream_tls_) {
    if (known == *settings) return context;
  }
  auto made = net::TlsContext::client(*settings);
  if (!made) return std::unexpected(made.error());
  return upstream_tls_.emplace_back(*settings, std::move(*made)).second;
}

net::Task<> DoorWorker::watch_routes() {
  net::Event wake(loop_);
  net::Timer timer(loop_.timers(), wake);
  const net::Drain::Watch watch(upstream_drain_, wake);
  while (!upstream_drain_.must_close()) {
    const SharedLimits* shared = host_.live_nodes;
    if (host_.directory != nullptr) host_.indexes.flush(*host_.directory);
    takeovers_.add(registry_.tick(loop_.now(), shared == nullptr ? 1 : shared->live_nodes()));
    timer.arm(loop_.now() + kRouteTick);
    co_await wake.wait();
  }
}

net::Task<> DoorWorker::watch_servers() {
  net::Event wake(loop_);
  net::Timer timer(loop_.timers(), wake);
  const net::Drain::Watch watch(upstream_drain_, wake);
  while (!upstream_drain_.must_close()) {
    timer.arm(loop_.now() + watches_->tick());
    co_await wake.wait();
  }
  watches_->stop();
}

net::Task<> DoorWorker::sweep_regularly() {
  net::Event wake(loop_);
  net::Timer timer(loop_.timers(), wake);
  const net::Drain::Watch watch(upstream_drain_, wake);
  while (!upstream_drain_.must_close()) {
    timer.arm(loop_.now() + kSweepInterval);
    co_await wake.wait();
    if (host_.directory != nullptr) host_.indexes.sweep(*host_.directory);
    registry_.sweep(loop_.now());
  }
}

uint64_t DoorWorker::next_session_id() {
  return ++last_session_ * position_.count + position_.index;
}

}  // namespace partywall::cache
