#pragma once

#include <memory>
#include <optional>

#include "admin/router.h"
#include "admin/session.h"
#include "base/result.h"
#include "net/tls.h"
#include "net/worker.h"

namespace partywall::admin {

struct ServerSettings {
  Endpoint listen;  // loopback, unless the operator decides otherwise
  std::optional<net::TlsServerSettings> tls{};
  uint32_t max_connections = 100;
  unsigned handler_threads = 1;  // for handlers that wait for the control store
  size_t max_waiting = 200;      // requests that wait for one of them; more are refused with 503
  Duration handshake_timeout = seconds(10);
  SessionLimits limits{};
};

// The admin port, on a thread of its own: writing the metrics of 10,000 tenants must not delay a
// request of one of them.
class Server {
 public:
  // `router` must outlive the server.
  static Result<std::unique_ptr<Server>> start(const ServerSettings& settings, const Router& router,
                                               const TimeSource& time);
  ~Server();  // closes what is open
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Endpoint endpoint() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::admin
