#include <algorithm>

#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr Choice<LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                           {"info", LogLevel::kInfo},
                                           {"warning", LogLevel::kWarning},
                                           {"error", LogLevel::kError}};

void read_process(YamlMap& map, FileLoader& files, NodeSettings& node) {
  map.optional("workers", node.workers, {0, 256},
               "threads that serve connections; 0: one per processor");
  map.optional_choice("log_level", node.log_level, kLogLevels,
                      "the least severe messages that are logged");
  const bool given =
      map.optional("access_log", node.access_log,
                   "file of the access log, one JSON object a line; `\"-\"`: standard output, "
                   "`none`: no access log");
  if (given && node.access_log != "-") {
    node.access_log = node.access_log == "none" ? "" : files.resolve(node.access_log);
  }
  map.optional("drain_timeout", node.drain_timeout, {seconds(0), hours(1)},
               "how long sessions may go on when the node stops, before they are closed");
}

void read_tls(YamlMap& map, FileLoader& files, ListenSettings& listen) {
  TlsFiles tls;
  if (auto file = read_pem_file(map, files, "certificate", Need::kRequired,
                                "certificate chain in PEM form, the leaf first")) {
    tls.certificate = std::move(file->path);
  }
  if (auto file = read_pem_file(map, files, "private_key", Need::kRequired,
                                "the leaf's private key in PEM form")) {
    warn_if_exposed(map, "private_key", *file);
    tls.private_key = std::move(file->path);
  }
  if (auto file = read_pem_file(map, files, "client_ca", Need::kOptional,
                                "certificate authorities in PEM form; given: clients must have a "
                                "certificate of theirs")) {
    tls.client_ca = std::move(file->path);
  }
  listen.tls = std::move(tls);
}

bool is_local(const Endpoint& endpoint) {
  return endpoint.is_unix() || endpoint.address.starts_with("127.") || endpoint.address == "::1";
}

}  // namespace

void read_listener(YamlMap& map, FileLoader& files, std::optional<ListenSettings>& listener) {
  ListenSettings listen;
  const bool complete = read_endpoint(map, listen.endpoint, 0);
  map.section("tls", "encrypts with TLS 1.2 or 1.3; absent: plain",
              [&](YamlMap& tls) { read_tls(tls, files, listen); });
  if (complete && !map.has("tls") && !is_local(listen.endpoint)) {
    map.warning("address",
                "passwords and tokens cross the network in the clear: {} is not a loopback address "
                "and there is no tls",
                listen.endpoint.address);
  }
  listener = std::move(listen);
}

namespace {

void read_listeners(YamlMap& map, FileLoader& files, DoorListeners& listen) {
  map.section("http", "the http door",
              [&](YamlMap& door) { read_listener(door, files, listen.http); });
  map.section_like("sql", "listen.http", "the sql door",
                   [&](YamlMap& door) { read_listener(door, files, listen.sql); });
  map.section_like("cache", "listen.http", "the cache door",
                   [&](YamlMap& door) { read_listener(door, files, listen.cache); });
  map.section_like("admin", "listen.http", "metrics and health of this node",
                   [&](YamlMap& door) { read_listener(door, files, listen.admin); });
}

constexpr Range<uint32_t> kConnections = {1, 1'000'000};
constexpr std::string_view kConnectionsHelp = "client connections at once, of each worker";
constexpr Range<ByteSize> kMessageSize = {{1 << 10}, {1 << 30}};
constexpr Range<Duration> kShortTimeout = {milliseconds(10), minutes(10)};
constexpr Range<Duration> kQueueTimeout = {Duration(0), minutes(10)};
constexpr Range<Duration> kLongTimeout = {milliseconds(10), hours(24)};

constexpr std::string_view kTenantConnectionsHelp =
    "of them bound to one tenant, of all workers: so that no tenant can take them all";

void read_size(YamlMap& map, std::string_view key, uint64_t& bytes, Range<ByteSize> range,
               std::string_view help) {
  ByteSize size{bytes};
  map.optional(key, size, range, help);
  bytes = size.bytes;
}

void read_http(YamlMap& map, HttpDoorOptions& door) {
  map.optional("max_connections", door.max_connections, kConnections, kConnectionsHelp);
  read_size(map, "max_head_size", door.max_head_bytes, {{1 << 10}, {1 << 20}},
            "request line and headers together");
  read_size(map, "max_body_size", door.max_body_bytes, {{0}, {1ULL << 40}}, "body of a request");
  map.optional("max_attempts", door.max_attempts, {1, 10},
               "instances tried for one request before it fails");
  map.optional("queue_timeout", door.queue_timeout, kQueueTimeout,
               "how long a request waits for its turn when its tenant or the application has as "
               "many under way as it may; 0s: it is refused at once");
  map.optional("max_queued", door.max_queued, {1, 1'000'000}, "requests that wait, of each worker");
  map.optional("max_queued_per_tenant", door.max_queued_per_tenant, {1, 100'000},
               "the same, of one tenant");
  map.optional("max_requests_per_instance", door.max_requests_per_instance, {0, 1'000'000},
               "requests under way at one instance, of this node (its workers have equal shares); "
               "0: no bound");
  map.optional("slow_start", door.slow_start, kQueueTimeout,
               "until an instance that joined or recovered has its whole share of the requests");
  map.optional("outlier_failures", door.outlier_failures, {0, 1'000},
               "requests in a row that fail at an instance until it is taken out; 0: never");
  map.optional("outlier_time", door.outlier_time, kShortTimeout,
               "how long it is out the first time; each time longer, up to 10 times that");
  map.optional("outlier_max_percent", door.outlier_max_percent, {0, 100},
               "how much of a pool may be out because of failed requests");
  map.optional("panic_percent", door.panic_percent, {0, 100},
               "with fewer instances of a pool left than that, all are tried");
  map.optional("forward_authorization", door.forward_authorization,
               "false: the application does not see the client's Authorization header");
  map.values("trusted_proxies", door.trusted_proxies,
             "who may say for whom it forwards (Forwarded, X-Forwarded-*); everybody else's word "
             "is dropped");
  map.optional("head_timeout", door.head_timeout, kShortTimeout,
               "from a request's first byte to the end of its head");
  map.optional("idle_timeout", door.idle_timeout, kLongTimeout,
               "between two requests of a connection");
  map.optional("body_timeout", door.body_timeout, kShortTimeout,
               "without a byte of the request's body");
  map.optional("min_body_rate", door.min_body_rate, {0, 1'000'000'000},
               "bytes a second that a request's body must bring on average, beyond the first "
               "body_timeout; 0: as few as it likes");
  map.optional("write_timeout", door.write_timeout, kShortTimeout,
               "without the client taking a byte of the response");
  map.optional("connect_timeout", door.connect_timeout, kShortTimeout, "to connect to an instance");
  map.optional("response_timeout", door.response_timeout, kLongTimeout,
               "from the whole request to the head of the response");
  map.optional("response_body_timeout", door.response_body_timeout, kLongTimeout,
               "without a byte of the response's body");
  map.optional("tunnel_timeout", door.tunnel_timeout, kLongTimeout,
               "without a byte in either direction of a WebSocket");
}

constexpr Choice<WithoutTenant> kWithoutTenant[] = {
    {"refuse", WithoutTenant::kRefuse}, {"global_tables", WithoutTenant::kGlobalTables}};

constexpr Choice<ConsoleLoginOptions::Rights> kConsoleRights[] = {
    {"look", ConsoleLoginOptions::Rights::kLook},
    {"operate", ConsoleLoginOptions::Rights::kOperate}};

void read_console_login(YamlMap& map, FileLoader& files, SqlDoorOptions& door) {
  ConsoleLoginOptions login;
  map.required("user", login.user, "user name, for the database name `partywall`");
  if (std::ranges::find(door.console, login.user, &ConsoleLoginOptions::user) != door.console.end())
    map.error("user", "there is a login '{}' at the console already", login.user);
  map.optional_choice("rights", login.rights, kConsoleRights,
                      "look: SHOW; operate: PAUSE, RESUME, RECONNECT, KILL and RELOAD as well");
  read_verifier(map, files, login.verifier);
  map.values("addresses", login.addresses,
             "where it may come from, such as `10.1.0.0/16`; a client certificate or a unix socket "
             "will do instead");
  door.console.push_back(std::move(login));
}

void read_slow_statements(YamlMap& map, SlowStatementOptions& slow) {
  constexpr std::string_view kHelp = "logged if it takes at least as long";
  Duration threshold = seconds(1);
  if (map.optional("threshold", threshold, {milliseconds(1), hours(24)}, kHelp) || !map.describes())
    slow.threshold = threshold;
  map.named("tiers", "thresholds of some tiers, in the place of that",
            [&](const std::string& name, YamlMap& tier) {
              Duration of_tier{};
              if (tier.required("threshold", of_tier, {milliseconds(1), hours(24)}, kHelp))
                slow.tiers[name] = of_tier;
            });
}

void read_sql(YamlMap& map, FileLoader& files, const std::optional<ListenSettings>& listen,
              SqlDoorOptions& door) {
  map.optional("max_connections", door.max_connections, kConnections, kConnectionsHelp);
  map.optional("max_tenant_connections", door.max_tenant_connections, kConnections,
               kTenantConnectionsHelp);
  map.optional("require_tls", door.require_tls, "clients over TCP must use TLS");
  if (door.require_tls && listen && !listen->tls && !listen->endpoint.is_unix()) {
    map.error("require_tls", "'require_tls' needs 'listen.sql.tls', otherwise nobody could log in");
  }
  map.optional_choice("without_tenant", door.without_tenant, kWithoutTenant,
                      "what a statement gets that comes before any tenant is known: an error, or "
                      "all but the tenants' tables");
  read_size(map, "max_message_size", door.max_message_bytes, kMessageSize,
            "one protocol message of a client");
  map.optional("max_prepared_statements", door.max_prepared_statements, {1, 100'000},
               "of one client");
  read_size(map, "max_prepared_size", door.max_prepared_bytes, kMessageSize,
            "the texts of one client's prepared statements together");
  read_size(map, "max_copy_row", door.max_copy_row_bytes, kMessageSize,
            "one row of a COPY FROM on a table with row-level security");
  map.optional("max_migration_sessions", door.max_migration_sessions, {0, 999},
               "migration logins at once, of each worker; each has a server connection of its own");
  map.section("slow_statements", "a log of statements that take long, without their constants",
              [&](YamlMap& slow) { read_slow_statements(slow, door.slow_statements); });
  map.list("console", "operators of this node, at the console",
           [&](YamlMap& login) { read_console_login(login, files, door); });
  map.optional("max_console_sessions", door.max_console_sessions, {1, 100},
               "operators at the console at once, of each worker");
  map.optional("login_timeout", door.login_timeout, kShortTimeout,
               "from the connection to the end of the login");
  map.optional("queue_timeout", door.queue_timeout, kShortTimeout,
               "waiting for a server connection");
  map.optional("idle_in_transaction_timeout", door.idle_in_transaction_timeout, kLongTimeout,
               "a client that says nothing in a transaction");
  map.optional("transaction_timeout", door.transaction_timeout, kLongTimeout,
               "a transaction of a tenant, whatever is said in it; where the tier's "
               "statement_timeout is longer, that");
  map.optional("connect_timeout", door.connect_timeout, kShortTimeout,
               "to connect and log in to PostgreSQL");
  map.optional("server_idle_timeout", door.server_idle_timeout, kLongTimeout,
               "until a server connection that nobody uses is closed");
}

void read_cache(YamlMap& map, CacheDoorOptions& door) {
  map.optional("max_connections", door.max_connections, kConnections, kConnectionsHelp);
  map.optional("max_tenant_connections", door.max_tenant_connections, kConnections,
               kTenantConnectionsHelp);
  read_size(map, "max_request_size", door.max_request_bytes, kMessageSize,
            "one command with its arguments");
  map.optional("login_timeout", door.login_timeout, kShortTimeout,
               "from the connection to the end of the login");
  map.optional("idle_timeout", door.idle_timeout, kLongTimeout,
               "until a client that says nothing is disconnected");
  map.optional("write_timeout", door.write_timeout, kShortTimeout,
               "without the client taking a byte of its replies");
  map.optional("connect_timeout", door.connect_timeout, kShortTimeout,
               "to connect to Redis, and as long again to log in there");
}

}  // namespace

void read_node(YamlMap& file, FileLoader& files, NodeSettings& node) {
  file.section("node", "the process", [&](YamlMap& map) { read_process(map, files, node); });
  file.section("listen",
               "where the doors of this node listen; a door that is not here does not run",
               [&](YamlMap& map) { read_listeners(map, files, node.listen); });
  file.section("doors", "bounds and patience of the doors", [&](YamlMap& map) {
    map.section("http", "the http door", [&](YamlMap& door) { read_http(door, node.http); });
    map.section("sql", "the sql door",
                [&](YamlMap& door) { read_sql(door, files, node.listen.sql, node.sql); });
    map.section("cache", "the cache door", [&](YamlMap& door) { read_cache(door, node.cache); });
  });
}

}  // namespace partywall::store
