#include "admin/server.h"

#include <utility>

#include "base/address_block.h"
#include "net/drain.h"
#include "net/listener.h"
#include "net/scope.h"

namespace partywall::admin {

struct Server::Impl {
  Impl(ServerSettings with, const Router& router, const TimeSource& time)
      : settings(std::move(with)),
        threads(1, time),
        handlers(settings.handler_threads, settings.max_waiting),
        shared{.router = router,
               .executor = handlers,
               .limits = settings.limits,
               .refuses_names = !settings.tls && (settings.listen.is_unix() ||
                                                  is_loopback_address(settings.listen.address))},
        sessions(threads[0]) {}

  void accept(std::unique_ptr<net::Stream> stream) {
    if (sessions.running() >= settings.max_connections) return;  // closes it
    sessions.spawn(serve(std::move(stream)));
  }

  net::Task<> serve(std::unique_ptr<net::Stream> stream) {
    if (tls) {
      auto encrypted =
          co_await tls->handshake(threads[0], std::move(stream), settings.handshake_timeout);
      if (!encrypted) co_return;
      stream = *std::move(encrypted);
    }
    co_await serve_connection(threads[0], std::move(stream), shared, drain);
  }

  // In this order: a handler's thread posts to the loop, so it ends before the loop does.
  ServerSettings settings;
  std::unique_ptr<net::TlsContext> tls;
  net::WorkerGroup threads;
  HandlerThreads handlers;
  SessionShared shared;
  net::TaskScope sessions;
  net::Drain drain;
  net::BoundListeners bound;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, const Router& router,
                                              const TimeSource& time) {
  auto impl = std::make_unique<Impl>(settings, router, time);
  if (settings.tls) {
    auto context = net::TlsContext::server(*settings.tls);
    if (!context) return fail_with_context("admin port", context.error());
    impl->tls = *std::move(context);
  }
  auto bound = net::bind_listeners(impl->threads, settings.listen);
  if (!bound) return fail_with_context("admin port", bound.error());
  impl->bound = std::move(*bound);
  impl->threads.run_on_each([&](net::Worker&) {
    impl->bound.listeners.front()->start(
        [target = impl.get()](std::unique_ptr<net::Stream> stream) {
          target->accept(std::move(stream));
        });
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  impl_->threads.run_on_each([&](net::Worker&) {
    impl_->bound.listeners.clear();
    impl_->drain.request_close();
  });
  impl_->threads.run_until_done(impl_->threads[0], [&] { return impl_->sessions.join(); });
}

Endpoint Server::endpoint() const { return impl_->bound.endpoint; }

}  // namespace partywall::admin
