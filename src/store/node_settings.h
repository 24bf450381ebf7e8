#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address_block.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/tls_settings.h"

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
  std::optional<ListenSettings> admin;  // /metrics, /healthz, /readyz, /cache/tenants/…

  bool operator==(const DoorListeners&) const = default;
};

struct HttpDoorOptions {
  uint32_t max_connections = 10'000;   // of clients, each worker
  uint64_t max_head_bytes = 16 << 10;  // request line and headers
  uint64_t max_body_bytes = 16 << 20;
  uint32_t max_attempts = 3;          // instances tried for one request
  bool forward_authorization = true;  // the application sees the client's Authorization header
  Duration queue_timeout{};           // how long a request may wait for its turn; 0: refused
  uint32_t max_queued = 10'000;       // requests that wait, of each worker
  uint32_t max_queued_per_tenant = 100;
  uint32_t max_requests_per_instance = 0;     // under way, of the whole node; 0: no bound
  Duration slow_start = minutes(5);           // until a new instance has its whole share
  uint32_t outlier_failures = 5;              // in a row, until an instance is out; 0: never
  Duration outlier_time = seconds(30);        // out for, the first time
  uint32_t outlier_max_percent = 50;          // of a pool that may be out
  uint32_t panic_percent = 30;                // of a pool; with fewer healthy all are tried
  std::vector<AddressBlock> trusted_proxies;  // their Forwarded and X-Forwarded-* are believed
  Duration head_timeout = seconds(10);    // from the first byte of a request to the end of its head
  Duration idle_timeout = seconds(75);    // between two requests of a connection
  Duration body_timeout = seconds(30);    // without a byte of the request's body
  uint64_t min_body_rate = 500;           // bytes a second beyond that, on average; 0: any
  Duration write_timeout = seconds(30);   // without the client taking a byte of the response
  Duration connect_timeout = seconds(2);  // to an instance
  Duration response_timeout = seconds(60);  // from the whole request to the head of the response
  Duration response_body_timeout = seconds(60);  // without a byte of the response's body
  Duration tunnel_timeout = hours(1);  // without a byte in either direction of a WebSocket

  bool operator==(const HttpDoorOptions&) const = default;
};

// What a statement gets that comes before any tenant is known.
enum class WithoutTenant {
  kRefuse,        // SQLSTATE 28000
  kGlobalTables,  // it runs, but every table of the tenants raises
};

// An operator's login at the console of the sql door.
struct ConsoleLoginOptions {
  enum class Rights { kLook, kOperate };
  std::string user;
  Rights rights = Rights::kLook;
  std::string verifier;
  std::vector<AddressBlock> addresses;

  bool operator==(const ConsoleLoginOptions&) const = default;
};

// Which statements are logged as slow; Duration::max(): none.
struct SlowStatementOptions {
  Duration threshold = Duration::max();
  std::map<std::string, Duration> tiers;

  bool operator==(const SlowStatementOptions&) const = default;
};

struct SqlDoorOptions {
  uint32_t max_connections = 10'000;        // of clients, each worker
  uint32_t max_tenant_connections = 2'500;  // of one tenant's clients, all workers
  bool require_tls = false;                 // of clients over TCP
  WithoutTenant without_tenant = WithoutTenant::kRefuse;
  uint64_t max_message_bytes = 64 << 20;
  uint32_t max_prepared_statements = 1'000;  // of one client
  uint64_t max_prepared_bytes = 4 << 20;     // their texts together
  uint64_t max_copy_row_bytes = 4 << 20;     // of a COPY FROM under row-level security
  uint32_t max_migration_sessions = 10;      // each has a server connection of its own; each worker
  SlowStatementOptions slow_statements;
  std::vector<ConsoleLoginOptions> console;
  uint32_t max_console_sessions = 10;  // each worker
  Duration login_timeout = seconds(10);
  Duration queue_timeout = seconds(10);               // waiting for a server connection
  Duration idle_in_transaction_timeout = minutes(1);  // with a server connection
  Duration transaction_timeout = minutes(5);          // a tenant's, however busy
  Duration connect_timeout = seconds(5);              // to the server, with its authentication
  Duration server_idle_timeout = minutes(10);

  bool operator==(const SqlDoorOptions&) const = default;
};

struct CacheDoorOptions {
  uint32_t max_connections = 10'000;        // of clients, each worker
  uint32_t max_tenant_connections = 2'500;  // of one tenant's clients, all workers
  uint64_t max_request_bytes = 16 << 20;    // one command with its arguments
  Duration login_timeout = seconds(10);     // from accepting to AUTH
  Duration idle_timeout = minutes(10);      // without a request, and with nothing to wait for
  Duration write_timeout = seconds(10);     // without the client taking a byte of its replies
  Duration connect_timeout = seconds(2);    // to Redis, and the same again for logging in there

  bool operator==(const CacheDoorOptions&) const = default;
};

// The Redis through which nodes share the limits of tenants.
struct LimitStoreOptions {
  Endpoint endpoint;
  std::string user;  // empty: nobody logs in
  Secret password;
  std::optional<TlsClientSettings> tls;
  Duration connect_timeout = seconds(2);
  Duration answer_timeout = milliseconds(250);

  bool operator==(const LimitStoreOptions& other) const {
    return endpoint == other.endpoint && user == other.user &&
           password.equals(other.password.reveal()) && tls == other.tls &&
           connect_timeout == other.connect_timeout && answer_timeout == other.answer_timeout;
  }
};

struct ClusterOptions {
  std::string node;             // empty: the host's name
  uint32_t expected_nodes = 1;  // until the limits store has said
  std::optional<LimitStoreOptions> limits;

  bool operator==(const ClusterOptions&) const = default;
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
  ClusterOptions cluster;

  bool operator==(const NodeSettings&) const = default;
};

}  // namespace partywall::store
