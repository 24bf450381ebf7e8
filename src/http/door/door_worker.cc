#include "http/door/door_worker.h"

#include <utility>

#include "http/door/client_session.h"
#include "net/timer.h"

namespace partywall::http {
namespace {

constexpr Duration kHouseKeeping = milliseconds(250);

}  // namespace

DoorWorker::DoorWorker(net::Loop& loop, Parts parts)
    : state_(loop, parts.settings, std::move(parts.desk), std::move(parts.board), parts.health,
             parts.access_log, parts.random_seed),
      tls_(std::move(parts.tls)),
      loads_(std::move(parts.loads)),
      index_(parts.index),
      house_wake_(loop),
      sessions_(loop),
      house_(loop) {
  house_.spawn(keep_house());
}

DoorWorker::~DoorWorker() = default;

void DoorWorker::update(std::shared_ptr<const DoorDirectory> directory) {
  auto snapshot = std::make_shared<WorkerSnapshot>();
  snapshot->door = std::move(directory);
  for (const Tier& tier : snapshot->directory().tiers()) {
    snapshot->tier_durations.push_back(&state_.metrics.durations(tier.name));
  }
  snapshot->untenanted_durations = &state_.metrics.durations({});
  state_.pools.update(snapshot->door->directory);
  state_.snapshot = std::move(snapshot);
}

void DoorWorker::accept(std::unique_ptr<net::Stream> stream) {
  state_.metrics.count(DoorCounter::kConnections);
  if (!state_.snapshot || state_.drain.requested() ||
      sessions_.running() >= state_.settings.limits.max_connections) {
    state_.metrics.count(DoorCounter::kConnectionsRefused);
    state_.metrics.count(DoorCounter::kConnectionsClosed);
    return;
  }
  sessions_.spawn(serve(std::move(stream)));
}

net::Task<> DoorWorker::serve(std::unique_ptr<net::Stream> stream) {
  if (tls_) {
    auto encrypted = co_await tls_->handshake(state_.loop, std::move(stream),
                                              state_.settings.timeouts.tls_handshake);
    if (encrypted) stream = std::move(*encrypted);
  }
  if (stream) {
    ClientOrigin origin = origin_of(stream->peer(), state_.settings.trusted_proxies);
    ClientSession session(state_, std::move(stream), std::move(origin));
    co_await session.run();
  }
  state_.metrics.count(DoorCounter::kConnectionsClosed);
}

net::Task<> DoorWorker::keep_house() {
  net::Timer timer(state_.loop.timers(), house_wake_);
  while (!stopping_) {
    timer.arm(state_.loop.now() + kHouseKeeping);
    co_await house_wake_.wait();
    state_.log.flush();
    state_.lines.serve_all();
    state_.pools.update_capacities(state_.loop.now());
    loads_->write(index_, state_.pools, state_.loop.now());
    state_.pools.close_stale(state_.loop.now(), state_.settings.limits.reuse);
  }
}

net::Task<> DoorWorker::stop() {
  co_await sessions_.join();
  stopping_ = true;
  house_wake_.set();
  co_await house_.join();
}

}  // namespace partywall::http
