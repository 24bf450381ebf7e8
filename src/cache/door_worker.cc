#include "cache/door_worker.h"

#include "net/timer.h"

namespace partywall::cache {
namespace {
constexpr Duration kSweepInterval = seconds(5);
}

DoorWorker::DoorWorker(net::Loop& loop, const DoorSettings& settings, TenantStates& tenants,
                       std::unique_ptr<net::TlsContext> tls, Position position)
    : loop_(loop),
      settings_(settings),
      tls_(std::move(tls)),
      position_(position),
      registry_(settings.upstreams, *this),
      host_{settings.sessions, loop.time(), tenants, registry_, meters_, nullptr},
      clients_(loop),
      upstreams_(loop) {}

void DoorWorker::accept(std::unique_ptr<net::Stream> stream) {
  if (connections() >= settings_.max_connections) {
    refused_connections_.add();
    stream->write("-ERR max number of clients reached\r\n");
    return;
  }
  clients_.spawn(serve_client(std::move(stream)));
}

void DoorWorker::set_directory(DirectoryRef directory) {
  // The registry reads the one that it was given last.
  const DirectoryRef before = std::exchange(host_.directory, std::move(directory));
  registry_.directory_changed(*host_.directory);
  for (SessionFsm* session : sessions_) session->directory_changed();
}

void DoorWorker::start() { upstreams_.spawn(sweep_regularly()); }

net::Task<> DoorWorker::stop() {
  drain_.request_close();
  co_await clients_.join();
  registry_.finish_all();
  upstream_drain_.request_close();
  co_await upstreams_.join();
}

void DoorWorker::open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint) {
  upstreams_.spawn(run_upstream(std::move(upstream), endpoint));
}

net::Task<> DoorWorker::sweep_regularly() {
  net::Event wake(loop_);
  net::Timer timer(loop_.timers(), wake);
  const net::Drain::Watch watch(upstream_drain_, wake);
  while (!upstream_drain_.must_close()) {
    timer.arm(loop_.now() + kSweepInterval);
    co_await wake.wait();
    registry_.sweep(loop_.now());
  }
}

uint64_t DoorWorker::next_session_id() {
  return ++last_session_ * position_.count + position_.index;
}

}  // namespace partywall::cache
