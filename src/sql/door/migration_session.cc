#include "sql/door/migration_session.h"

#include "base/log.h"
#include "net/event.h"
#include "sql/door/door_worker.h"
#include "sql/door/welcome.h"
#include "sql/door_errors.h"
#include "sql/server/deliver_cancel.h"
#include "sql/server/open_server.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

// One direction: what was read and could not be written yet waits in `pending`.
struct Direction {
  net::Stream& from;
  net::Stream& to;
  ByteBuffer pending;

  // False: the connection has ended.
  bool move() {
    constexpr size_t kChunk = 16 * 1024;
    while (true) {
      while (!pending.empty()) {
        const net::IoResult written = to.write(pending.view());
        if (written.would_block()) return true;
        if (written.closed()) return false;
        pending.consume(written.bytes);
      }
      if (from.awaits_input()) return true;
      const net::IoResult read = from.read(pending.prepare(kChunk));
      if (read.would_block()) return true;
      if (read.closed()) return false;
      pending.commit(read.bytes);
    }
  }
  void arm(net::Event& event) {
    if (!pending.empty()) {
      to.arm_write(event);
    } else if (!from.awaits_input()) {
      from.arm_read(event);
    }
  }
};

// Delivers cancels to the server; what it does then is the client's business, as with a direct
// connection.
class MigrationClient final : public ConnectedClient {
 public:
  MigrationClient(DoorWorker& worker, const AdmittedClient& client, Endpoint endpoint,
                  CancelRequest server_key)
      : wake(worker.loop()),
        worker_(worker),
        client_(client),
        endpoint_(std::move(endpoint)),
        server_key_(server_key),
        connected_at_(worker.loop().now()),
        key_(worker.clients_here().add(*this)) {}
  ~MigrationClient() override { worker_.clients_here().remove(key_); }
  MigrationClient(const MigrationClient&) = delete;
  MigrationClient& operator=(const MigrationClient&) = delete;

  void cancel_statement() override {
    worker_.spawn(deliver_cancel(worker_.loop(), endpoint_, server_key_, kTimeout));
  }
  void end_by_operator() override {
    is_killed_ = true;
    wake.set();
  }
  // Its bytes pass unread: nobody here knows what it does.
  [[nodiscard]] ClientInfo describe() const override {
    return {.user = client_.admission.user,
            .cell = client_.admission.cell,
            .tenant = {},
            .state = "migration",
            .state_since = {},
            .connected_at = connected_at_,
            .server_pid = server_key_.pid,
            .is_pinned = true,
            .peer = client_.stream->peer(),
            .application_name = {}};
  }
  [[nodiscard]] const CancelRequest& key() const { return key_; }
  [[nodiscard]] bool is_killed() const { return is_killed_; }

  net::Event wake;

 private:
  static constexpr Duration kTimeout = seconds(5);
  DoorWorker& worker_;
  const AdmittedClient& client_;
  Endpoint endpoint_;
  CancelRequest server_key_;
  const MonotonicTime connected_at_;
  CancelRequest key_;
  bool is_killed_ = false;
};

void refuse(AdmittedClient& client, const SqlError& error) {
  std::string words;
  SqlError fatal = error;
  fatal.severity = Severity::kFatal;
  append_error(words, fatal);
  client.stream->write(words);
}

ServerLogin owner_login(const SqlBackend& backend, const StartupRequest& request) {
  return {.purpose = ServerLogin::Purpose::kOwner,
          .role = backend.owner_role,
          .database = backend.database,
          .password = backend.owner_password,
          .parameters = request.parameters};
}

net::Task<> relay(DoorWorker& worker, AdmittedClient& client, OpenedServer& server,
                  MigrationClient& connected) {
  net::Event& wake = connected.wake;
  net::Drain::Watch watch(worker.drain_signal(), wake);
  Direction to_server{*client.stream, *server.stream, {}};
  Direction to_client{*server.stream, *client.stream, {}};
  to_server.pending.append(client.unread);
  std::string welcome;
  append_welcome(welcome, server.info.reported, connected.key());
  to_client.pending.append(welcome);
  while (!worker.drain_signal().must_close() && !connected.is_killed()) {
    const bool client_goes_on = to_server.move();
    const bool server_goes_on = to_client.move();
    if (!client_goes_on || !server_goes_on) break;
    to_server.arm(wake);
    to_client.arm(wake);
    co_await wake.wait();
  }
  if (connected.is_killed()) refuse(client, errors::ended_by_operator());
}

}  // namespace

net::Task<> serve_migration(DoorWorker& worker, AdmittedClient client) {
  const Cell* cell = worker.directory()->find_cell(client.admission.cell);
  if (!cell || cell->sql.owner_role.empty()) {
    refuse(client, errors::cannot_connect(client.admission.cell));
    co_return;
  }
  const auto slot = worker.take_migration_slot();
  if (!slot) {
    refuse(client, errors::too_many_clients());
    co_return;
  }
  const Endpoint endpoint = cell->sql.endpoint;
  const MonotonicTime deadline = worker.loop().now() + worker.settings().pool.connect_timeout;
  auto server =
      co_await open_server(worker.loop(), endpoint, owner_login(cell->sql, client.request),
                           std::nullopt, worker.random(), deadline);
  if (!server) {
    log_warning("a migration login got no server connection",
                {{"user", client.admission.user}, {"reason", server.error().message}});
    refuse(client, errors::cannot_connect(client.admission.cell));
    co_return;
  }
  MigrationClient connected(worker, client, endpoint, server->info.key);
  co_await relay(worker, client, *server, connected);
}

}  // namespace partywall::sql
