#include "daemon/control_server.h"

#include "admin/api/control_api.h"
#include "admin/router.h"
#include "admin/server.h"
#include "base/metrics.h"
#include "daemon/door_settings.h"

namespace partywall::daemon {
namespace {

constexpr unsigned kHandlerThreads = 4;

admin::ApiSettings api_settings(const store::ControlFile& file) {
  return {.store = *file.store,
          .issuers = file.api.issuers,
          .calls = {.tokens = file.api.calls_per_minute,
                    .period = minutes(1),
                    .burst = std::max(1U, file.api.calls_per_minute / 6)},
          .grace_period = file.api.grace_period,
          .cache_databases = file.api.cache_databases};
}

}  // namespace

struct ControlServer::Impl {
  MetricRegistry metrics;
  std::unique_ptr<admin::ControlApi> api;
  admin::Router router;
  std::unique_ptr<admin::Server> server;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::start(const store::ControlFile& settings,
                                                            const TimeSource& time,
                                                            Random& random) {
  auto impl = std::make_unique<Impl>();
  auto api = admin::ControlApi::create(api_settings(settings), time, random);
  if (!api) return std::unexpected(api.error());
  impl->api = *std::move(api);
  impl->api->add_to(impl->router);
  impl->router.add("GET", "/healthz", [](const admin::Request&) {
    return admin::Response{.content_type = "text/plain; charset=utf-8", .body = "ok\n"};
  });
  impl->router.add("GET", "/metrics", [registry = &impl->metrics](const admin::Request&) {
    return admin::Response{.content_type = std::string(kOpenMetricsContentType),
                           .body = registry->render()};
  });
  admin::ServerSettings server = admin_server_settings(settings.api.listen);
  server.handler_threads = kHandlerThreads;
  auto started = admin::Server::start(server, impl->router, time);
  if (!started) return std::unexpected(started.error());
  impl->server = *std::move(started);
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

Endpoint ControlServer::endpoint() const { return impl_->server->endpoint(); }

}  // namespace partywall::daemon
