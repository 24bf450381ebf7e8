#include "base/log.h"
#include "cache/door_worker.h"
#include "cache/event_waker.h"
#include "net/timer.h"

// Moves the bytes between Redis and an upstream connection.
namespace partywall::cache {
namespace {

// False when the connection is broken.
bool exchange(net::Loop& loop, net::Stream& stream, UpstreamIo& upstream, net::Event& wake) {
  upstream.turn();
  if (upstream.wants_input() && !stream.awaits_input()) {
    const std::span<char> buffer = loop.scratch();
    const net::IoResult result = stream.read(buffer);
    if (result.closed()) return false;
    if (result.ok()) upstream.receive({buffer.data(), result.bytes});
  }
  while (!upstream.output().empty()) {
    const net::IoResult result = stream.write(upstream.output());
    if (result.closed()) return false;
    if (!result.ok()) break;
    upstream.sent(result.bytes);
  }
  if (!upstream.output().empty()) stream.arm_write(wake);
  if (upstream.wants_input()) stream.arm_read(wake);
  return true;
}

}  // namespace

// With one deadline for connecting, and the same again for the handshake of TLS.
net::Task<Result<std::unique_ptr<net::Stream>>> DoorWorker::connect_upstream(
    Endpoint endpoint, std::shared_ptr<net::TlsContext> tls) {
  auto stream = co_await loop_.connect(endpoint, settings_.connect_timeout);
  if (!stream || tls == nullptr) co_return stream;
  co_return co_await tls->handshake(loop_, std::move(*stream), settings_.connect_timeout);
}

net::Task<> DoorWorker::run_upstream(std::shared_ptr<UpstreamIo> upstream, Endpoint endpoint,
                                     Result<std::shared_ptr<net::TlsContext>> tls) {
  upstream_connections_.fetch_add(1, std::memory_order_relaxed);
  net::Event wake(loop_);
  EventWaker waker(wake);
  net::Timer deadline(loop_.timers(), wake);
  const net::Drain::Watch watch(upstream_drain_, wake);
  Result<std::unique_ptr<net::Stream>> stream = std::unexpected(Error());
  if (tls) {
    stream = co_await connect_upstream(endpoint, *tls);
  } else {
    stream = std::unexpected(tls.error());
  }
  if (!stream)
    log_warning("the cache door cannot reach Redis",
                {{"endpoint", endpoint.to_string()}, {"reason", stream.error().message}});
  upstream->set_waker(&waker);
  deadline.arm(loop_.now() + settings_.connect_timeout);
  while (stream && !upstream->must_close() && !upstream_drain_.must_close() && !deadline.fired()) {
    if (!exchange(loop_, **stream, *upstream, wake)) break;
    if (upstream->ready() && deadline.armed()) deadline.disarm();
    if (upstream->must_close()) break;
    // After the others: so one write carries the requests of all clients that are ready now.
    co_await wake.wait_after_others();
  }
  upstream->set_waker(nullptr);
  upstream->lost();
  upstream_connections_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace partywall::cache
