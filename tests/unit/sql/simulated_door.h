#pragma once

#include <gtest/gtest.h>

#include "identity/context_token.h"
#include "sql/door/door_worker.h"
#include "sql/messages.h"
#include "sql/simulated_postgres.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/sql_error.h"

// The door's part on one worker, whole, on a virtual clock and an in-memory network.
namespace partywall::sql::testing {

inline const Endpoint kServer{"10.9.9.9", 5432};
inline const Endpoint kDoor{"/run/partywall/sql.sock", 0};

inline TenantId id_of(uint64_t number) { return TenantId(Uuid::from_halves(0, number)); }

struct WorldSettings {
  uint32_t slots = 2;
  uint32_t max_db_connections = 5;
  uint32_t tenant_clients = 2'500;
  Duration max_cpu_time = hours(1);
  uint32_t first_weight = 1;  // of tenant 1
  test::MemoryNetworkSettings network;
};

// A client's end of a connection to the door.
class Client {
 public:
  explicit Client(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

  void send(std::string_view bytes) {
    unsent_.append(bytes);
    move();
  }
  // Moves what can be moved; to be called whenever the loop has run.
  void move() {
    if (!stream_) return;
    while (!unsent_.empty()) {
      const auto written = stream_->write(unsent_);
      if (!written.ok()) break;
      unsent_.erase(0, written.bytes);
    }
    std::array<char, 256> buffer;
    while (true) {
      const auto read = stream_->read(buffer);
      if (read.closed()) is_closed = true;
      if (!read.ok()) break;
      received_.append(buffer.data(), read.bytes);
    }
  }
  // The answers that came since the last call.
  std::string take() {
    for (const Message& one : take_messages(received_)) answers_.push_back(one);
    return summary(std::exchange(answers_, {}));
  }
  std::vector<Message> take_answers() {
    take_into();
    return std::exchange(answers_, {});
  }
  void take_into() {
    for (const Message& one : take_messages(received_)) answers_.push_back(one);
  }
  void leave() { stream_.reset(); }

  bool is_closed = false;
  CancelRequest key;

 private:
  std::unique_ptr<net::Stream> stream_;
  std::string unsent_;
  std::string received_;
  std::vector<Message> answers_;
};

class World {
 public:
  explicit World(WorldSettings settings = {})
      : seats(settings.tenant_clients), settings_(settings), postgres(loop, kServer) {
    loop.network() = settings.network;
    door_settings.pool.limits.slot_rest = milliseconds(5);
    shared.workers.push_back(std::make_unique<DoorWorker>(loop, 0, shared, nullptr));
    worker().start();
    worker().set_directory(directory(), nullptr);
  }
  ~World() {
    clients_.clear();
    stop();
  }

  DoorWorker& worker() { return *shared.workers[0]; }

  DirectoryRef directory(TenantStatus status = TenantStatus::kActive) const {
    DirectoryData data;
    data.version = 1;
    Tier tier{.name = "free"};
    tier.limits.max_db_connections = settings_.max_db_connections;
    tier.limits.statement_timeout = seconds(5);
    tier.limits.max_cpu_time = settings_.max_cpu_time;
    data.tiers.push_back(tier);
    Cell cell;
    cell.name = "main";
    cell.sql.endpoint = kServer;
    cell.sql.database = "shop";
    cell.sql.slots.count = settings_.slots;
    cell.sql.provisioner_role = "provisioner";
    cell.sql.register_key = Secret(std::string(64, 'k'));
    data.cells.push_back(cell);
    for (uint32_t number = 1; number <= 3; ++number) {
      data.tenants.push_back({.id = id_of(number),
                              .number = TenantNumber(number),
                              .slug = fmt::format("tenant-{}", number),
                              .name = "x",
                              .tier = "free",
                              .cell = "main",
                              .status = status,
                              .limits = tier.limits,
                              .weight = number == 1 ? settings_.first_weight : 1});
    }
    data.context_keys.push_back({.id = 1, .key = Secret(std::string(32, 'k'))});
    return *Directory::build(std::move(data));
  }

  // A connection that says nothing yet.
  Client& connect() {
    auto [ours, theirs] = test::make_stream_pair(loop.network(), kDoor, kDoor);
    clients_.push_back(std::make_unique<Client>(std::move(ours)));
    worker().accept(std::move(theirs));
    return *clients_.back();
  }
  // Logged in as the tenant, with a context token as the password.
  Client& log_in(uint64_t number) {
    Client& client = connect();
    std::string out;
    append_startup_request(out, {{"user", fmt::format("tenant-{}", number)}, {"database", "shop"}});
    const WallTime now = loop.time().wall();
    const auto token = mint_context({.tenant = id_of(number),
                                     .audience = Audience::kSql,
                                     .issued_at = now,
                                     .expires_at = now + seconds(60),
                                     .request_id = {}},
                                    directory()->context_keys());
    MessageWriter(out, 'p').c_string(*token);
    client.send(out);
    settle();
    for (const Message& one : client.take_answers()) {
      if (one.type == 'K')
        client.key = {load_u32(one.body), load_u32(std::string_view(one.body).substr(4))};
    }
    return client;
  }
  // What the client gets at once.
  std::string ask(Client& client, std::string_view bytes) {
    client.send(bytes);
    settle();
    return client.take();
  }
  // Runs until nothing moves any more without time passing.
  void settle() {
    for (int round = 0; round < 400; ++round) {
      loop.run_ready();
      for (const auto& client : clients_) client->move();
    }
  }
  void pass(Duration time) {
    settle();
    loop.advance(time);
    settle();
  }
  void cancel(const CancelRequest& key) {
    std::string out;
    append_cancel_request(out, key);
    connect().send(out);
    settle();
  }
  // Ends everything; fails if something does not end.
  void stop() {
    if (std::exchange(is_stopped_, true)) return;
    bool done = false;
    net::TaskScope scope(loop);
    scope.spawn(run_stop(done));
    for (int i = 0; i < 50 && !done; ++i) loop.advance(seconds(10));
    EXPECT_TRUE(done) << "something does not end";
    if (!done) std::abort();
    EXPECT_EQ(postgres.connections(), 0u);
    shared.workers.clear();
  }

  test::SimulatedLoop loop;
  TenantStates states;
  SeededRandom random{1};
  DoorSettings door_settings;
  ClientSeats seats;
  DoorShared shared{.settings = door_settings,
                    .tenants = states,
                    .seats = seats,
                    .random = random,
                    .limits = nullptr,
                    .slow_log = nullptr,
                    .workers = {}};

 private:
  net::Task<> run_stop(bool& done) {
    co_await worker().stop();
    co_await postgres.stop();
    done = true;
  }

  WorldSettings settings_;
  std::vector<std::unique_ptr<Client>> clients_;
  bool is_stopped_ = false;

 public:
  SimulatedPostgres postgres;
};

}  // namespace partywall::sql::testing
