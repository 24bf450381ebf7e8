#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/time.h"

// What one node needs to know before it serves: where it listens, how much it works, how patient
// its doors are. It is read at start; a change needs a restart, while the directory is reloaded.
// docs/reference/platform-file.md has all keys.
namespace partywall::store {

// Paths of PEM files, such that the process can open them.
struct TlsFiles {
  std::string certificate;  // the chain, the leaf first
  std::string private_key;
  std::string client_ca;  // set: a client certificate is required and verified

  bool operator==(const TlsFiles&) const = default;
};

struct ListenSettings {
  Endpoint endpoint;  // port 0: the kernel chooses
  std::optional<TlsFiles> tls;

  bool operator==(const ListenSettings&) const = default;
};

// A door without an entry does not run on this node.
struct DoorListeners {
  std::optional<ListenSettings> http;
  std::optional<ListenSettings> sql;
  std::optional<ListenSettings> cache;
  std::optional<ListenSettings> admin;  // /metrics, /healthz, /readyz

  bool operator==(const DoorListeners&) const = default;
};

struct HttpDoorOptions {
  uint64_t max_head_bytes = 32 << 10;  // request line and headers
  uint64_t max_body_bytes = 64 << 20;
  uint32_t max_connections = 10'000;
  Duration head_timeout = seconds(10);    // from the first byte of a request to the end of its head
  Duration idle_timeout = seconds(75);    // between two requests of a connection
  Duration body_timeout = seconds(30);    // without a byte, in either direction
  Duration connect_timeout = seconds(2);  // to an instance
  Duration response_timeout = seconds(60);  // from the end of the request to the head of the answer

  bool operator==(const HttpDoorOptions&) const = default;
};

struct SqlDoorOptions {
  uint32_t max_connections = 10'000;
  uint64_t max_message_bytes = 64 << 20;
  Duration login_timeout = seconds(10);
  Duration queue_timeout = seconds(10);   // waiting for a server connection
  Duration connect_timeout = seconds(5);  // to the server, with its authentication
  Duration server_idle_timeout = minutes(10);

  bool operator==(const SqlDoorOptions&) const = default;
};

struct CacheDoorOptions {
  uint32_t max_connections = 10'000;
  uint64_t max_request_bytes = 64 << 20;
  Duration login_timeout = seconds(10);
  Duration idle_timeout = minutes(10);
  Duration connect_timeout = seconds(2);

  bool operator==(const CacheDoorOptions&) const = default;
};

struct NodeSettings {
  uint32_t workers = 0;  // threads that serve; 0: one per processor
  LogLevel log_level = LogLevel::kInfo;
  std::string access_log = "-";  // a path, "-" is standard output, empty: none
  Duration drain_timeout = seconds(10);
  DoorListeners listen;
  HttpDoorOptions http;
  SqlDoorOptions sql;
  CacheDoorOptions cache;

  bool operator==(const NodeSettings&) const = default;
};

}  // namespace partywall::store
