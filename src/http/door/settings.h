#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "http/admission/tenant_lines.h"
#include "http/message/head.h"
#include "http/proxy/client_origin.h"
#include "http/proxy/exchange_fsm.h"
#include "http/proxy/upstream_request.h"
#include "http/upstream/instance_group.h"
#include "net/tls.h"

namespace partywall::http {

// How long the door waits. Each ends the request or the connection that it is about.
struct DoorTimeouts {
  Duration head = seconds(10);           // from the first byte of a request to the end of its head
  Duration idle = seconds(75);           // between two requests of a connection
  Duration body = seconds(30);           // without a byte of the request's body
  uint64_t body_bytes_per_second = 500;  // on average, beyond the first `body`; 0: any
  Duration client_write = seconds(30);   // without the client taking a byte of the response
  Duration connect = seconds(2);         // to an instance
  Duration response = seconds(60);       // from the whole request to the head of the response
  Duration response_body = seconds(60);  // without a byte of the response's body
  Duration tunnel = minutes(60);         // without a byte in either direction of a WebSocket
  Duration tls_handshake = seconds(10);
  Duration linger = seconds(2);  // for what a client still sends after its last answer
};

struct DoorLimits {
  HeadLimits head;                    // of requests
  ExchangeLimits exchange;            // with the limit of the request's body
  uint32_t max_connections = 10'000;  // of clients, each worker
  uint32_t max_attempts = 3;          // instances tried for one request
  ConnectionReuse reuse;              // of connections to instances
};

// Waiting instead of being refused.
struct QueueSettings {
  Duration timeout{};  // how long a request may wait for its turn; 0: it is refused at once
  LineLimits limits;
  // Requests under way at one instance, of the whole node; 0: no bound. Each worker has a share.
  uint32_t max_requests_per_instance = 0;
};

struct DoorSettings {
  Endpoint listen{"127.0.0.1", 8080};
  std::optional<net::TlsServerSettings> tls;
  DoorTimeouts timeouts;
  DoorLimits limits;
  QueueSettings queue;
  BalanceSettings balance;
  AuthorizationPolicy authorization = AuthorizationPolicy::kForward;
  std::vector<AddressBlock> trusted_proxies;
  std::string access_log;  // a file, "-" for standard output, empty for none
};

}  // namespace partywall::http
