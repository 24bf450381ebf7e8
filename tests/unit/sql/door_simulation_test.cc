// The door's part on one worker, whole, on a virtual clock and an in-memory network: logins, pools,
// sessions, time limits, failures at every step.
#include <gtest/gtest.h>

#include "identity/context_token.h"
#include "sql/door/door_worker.h"
#include "sql/messages.h"
#include "sql/simulated_postgres.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {
namespace {

using namespace testing;

const Endpoint kServer{"10.9.9.9", 5432};
const Endpoint kDoor{"/run/partywall/sql.sock", 0};

TenantId id_of(uint64_t number) { return TenantId(Uuid::from_halves(0, number)); }

struct WorldSettings {
  uint32_t slots = 2;
  uint32_t max_db_connections = 5;
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
  explicit World(WorldSettings settings = {}) : settings_(settings), postgres(loop, kServer) {
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

  DirectoryRef directory() const {
    DirectoryData data;
    data.version = 1;
    Tier tier{.name = "free"};
    tier.limits.max_db_connections = settings_.max_db_connections;
    tier.limits.statement_timeout = seconds(5);
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
                              .limits = tier.limits});
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
  DoorShared shared{.settings = door_settings, .tenants = states, .random = random, .workers = {}};

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

// The tenant's name is in each row.
bool shows_only(const std::vector<Message>& answers, uint64_t number) {
  for (const Message& one : answers) {
    if (one.type == 'D' && one.body.find(fmt::format("tenant {}", number)) == std::string::npos)
      return false;
  }
  return true;
}

TEST(DoorSimulation, ATenantLogsInAndReads) {
  World world;
  Client& client = world.log_in(1);
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.postgres.connections(), 1u);
}

TEST(DoorSimulation, TwoTenantsShareOneConnectionHoweverSmallTheNetworksSteps) {
  for (const size_t most : {size_t{1}, size_t{5}, size_t{100}}) {
    World world({.slots = 1,
                 .network = {.capacity_bytes = 64, .most_per_read = most, .most_per_write = most}});
    Client& one = world.log_in(1);
    Client& two = world.log_in(2);
    for (int round = 0; round < 3; ++round) {
      for (Client* client : {&one, &two}) {
        client->send(query("begin") + query("many") + parse("", "select 1") + bind("", "") +
                     execute() + sync() + query("commit"));
      }
      world.settle();
      for (int i = 0; i < 20; ++i) world.pass(milliseconds(10));
      for (uint64_t number : {1, 2}) {
        auto answers = (number == 1 ? one : two).take_answers();
        EXPECT_TRUE(shows_only(answers, number));
        EXPECT_EQ(summary(answers),
                  "C:BEGIN Z:T D D D C:SELECT 3 Z:T 1 2 D C:SELECT 1 Z:T C:COMMIT Z:I");
      }
    }
    EXPECT_EQ(world.postgres.logins(), 1u);
  }
}

TEST(DoorSimulation, LargeMessagesPassInSmallSteps) {
  World world({.network = {.capacity_bytes = 1000}});
  Client& client = world.log_in(1);
  client.send(query("select '" + std::string(900'000, 'x') + "'"));
  for (int i = 0; i < 20; ++i) world.settle();
  EXPECT_EQ(client.take(), "D C:SELECT 1 Z:I");
}

TEST(DoorSimulation, LongStatementIsCancelledByTheDoorsClock) {
  World world;
  Client& client = world.log_in(1);
  EXPECT_EQ(world.ask(client, query("sleep")), "");
  world.pass(milliseconds(4900));
  EXPECT_EQ(client.take(), "");
  world.pass(milliseconds(200));
  const auto answers = client.take_answers();
  EXPECT_EQ(summary(answers), "E:57014 Z:I");
  EXPECT_NE(answers[0].body.find("tier"), std::string::npos);
  EXPECT_EQ(world.postgres.cancels(), 1u);
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.postgres.logins(), 1u);
}

TEST(DoorSimulation, StatementThatCannotBeCancelledLosesItsConnection) {
  World world;
  world.postgres.ignores_cancels = true;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  world.pass(seconds(6));
  EXPECT_EQ(client.take(), "");
  world.pass(seconds(5));
  EXPECT_EQ(client.take(), "E:57014");
  EXPECT_TRUE(client.is_closed);
  world.pass(seconds(1));
  EXPECT_EQ(world.postgres.connections(), 0u);
}

TEST(DoorSimulation, CancelOfAClientStopsItsStatementOnly) {
  World world;
  Client& one = world.log_in(1);
  Client& two = world.log_in(2);
  one.send(query("sleep"));
  two.send(query("sleep"));
  world.settle();
  world.cancel({one.key.pid, one.key.secret ^ 1});
  world.pass(milliseconds(10));
  EXPECT_EQ(one.take(), "");
  world.cancel(one.key);
  world.pass(milliseconds(10));
  EXPECT_EQ(one.take(), "E:57014 Z:I");
  EXPECT_EQ(two.take(), "");
  world.cancel(two.key);
  world.pass(milliseconds(10));
  EXPECT_EQ(two.take(), "E:57014 Z:I");
}

// A tenant must not be able to make `enter` fail: its connection would be closed.
TEST(DoorSimulation, CancelIsHeldBackWhileTheDoorsOwnRequestRuns) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  world.postgres.set_silent(true);
  EXPECT_EQ(world.ask(one, query("sleep")), "");  // behind `enter`, which is not answered yet
  world.cancel(one.key);
  EXPECT_EQ(world.postgres.cancels(), 0u);
  world.postgres.set_silent(false);
  world.pass(milliseconds(100));
  EXPECT_EQ(one.take(), "E:57014 Z:I");
  EXPECT_EQ(world.postgres.cancels(), 1u);
  EXPECT_EQ(world.postgres.logins(), 1u);
}

TEST(DoorSimulation, FloodOfCancelsIsPassedOnOneAtATimeAndNotTooOften) {
  World world;
  world.postgres.ignores_cancels = true;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  for (int i = 0; i < 500; ++i) {
    world.cancel(client.key);
    if (i % 100 == 99) world.pass(milliseconds(50));
  }
  EXPECT_GE(world.postgres.cancels(), 2u);
  EXPECT_LE(world.postgres.cancels(), 6u);
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(client.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorSimulation, CancelThatIsHeldBackIsForgottenWithItsStatement) {
  World world;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  world.settle();
  world.cancel(client.key);  // the first one hits
  EXPECT_EQ(client.take(), "E:57014 Z:I");
  client.send(query("sleep"));
  world.settle();
  world.cancel(client.key);  // too soon
  EXPECT_EQ(world.postgres.cancels(), 1u);
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(client.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(client, query("sleep")), "");
  world.pass(seconds(1));
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(world.postgres.cancels(), 1u);
}

TEST(DoorSimulation, ConnectionWaitsForItsCancelBeforeAnotherGetsIt) {
  World world({.slots = 1});
  world.postgres.cancel_delay = seconds(2);
  Client& one = world.log_in(1);
  Client& two = world.log_in(1);
  one.send(query("sleep"));
  world.settle();
  world.cancel(one.key);  // on its way for two seconds
  world.pass(milliseconds(500));
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(one.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(two, query("sleep")), "");
  world.pass(seconds(1));
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(two.take(), "");  // not even begun
  world.pass(seconds(1));     // the cancel has arrived, and hit nothing
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(two.take(), "C:SELECT 1 Z:I");
}

TEST(DoorSimulation, LateCancelHitsNobodyElse) {
  World world({.slots = 1});
  world.postgres.cancel_delay = seconds(2);
  Client& one = world.log_in(1);
  Client& two = world.log_in(1);
  one.send(query("begin") + query("select 1"));
  world.settle();
  one.take();
  one.send(query("sleep"));
  world.settle();
  world.cancel(one.key);
  world.pass(seconds(1));
  two.send(query("sleep"));
  world.settle();
  world.pass(milliseconds(1500));
  EXPECT_EQ(one.take(), "E:57014 Z:E");
  one.send(query("rollback"));
  world.pass(seconds(1));
  EXPECT_EQ(one.take(), "C:ROLLBACK Z:I");
  EXPECT_EQ(two.take(), "");  // asleep, not cancelled
  EXPECT_EQ(world.postgres.cancels(), 1u);
}

TEST(DoorSimulation, WaitingEndsInTime) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  Client& two = world.log_in(2);
  EXPECT_EQ(world.ask(one, query("begin") + query("select 1")), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(world.ask(two, query("select 1")), "");
  world.pass(seconds(9));
  EXPECT_EQ(two.take(), "");
  world.pass(seconds(2));
  EXPECT_EQ(two.take(), "E:53300 Z:I");
  EXPECT_EQ(world.ask(one, query("commit")), "C:COMMIT Z:I");
  EXPECT_EQ(world.ask(two, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorSimulation, WaitingCanBeCancelled) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  Client& two = world.log_in(2);
  world.ask(one, query("begin") + query("select 1"));
  two.send(query("select 1"));
  world.settle();
  world.cancel(two.key);
  EXPECT_EQ(two.take(), "E:57014 Z:I");
}

TEST(DoorSimulation, ATenantUsesNoMoreConnectionsThanItsTierGrants) {
  World world({.slots = 4, .max_db_connections = 2});
  std::vector<Client*> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(&world.log_in(1));
  Client& other = world.log_in(2);
  for (Client* client : clients) client->send(query("begin") + query("select 1"));
  world.settle();
  EXPECT_EQ(clients[0]->take(), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(clients[1]->take(), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(clients[2]->take(), "C:BEGIN Z:T");
  EXPECT_EQ(world.ask(other, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(*clients[0], query("commit")), "C:COMMIT Z:I");
  EXPECT_EQ(clients[2]->take(), "D C:SELECT 1 Z:T");
}

TEST(DoorSimulation, IdleTransactionIsEnded) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  Client& two = world.log_in(2);
  world.ask(one, query("begin") + query("select 1"));
  world.pass(seconds(61));
  EXPECT_EQ(one.take(), "E:25P03");
  EXPECT_TRUE(one.is_closed);
  EXPECT_EQ(world.ask(two, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.postgres.logins(), 1u);  // rolled back and reset, not closed
}

TEST(DoorSimulation, SlotRoleWithAnotherPasswordIsRepairedAndUsedAgain) {
  World world({.slots = 1});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  world.postgres.roles_with_another_password = {"partywall_slot_001"};
  Client& client = world.log_in(1);  // waits for the first connection
  ASSERT_EQ(repairs.size(), 1u);
  EXPECT_EQ(repairs[0].slot, 1u);
  EXPECT_EQ(repairs[0].backend.provisioner_role, "provisioner");
  // While it is under way nobody asks again.
  world.pass(seconds(3));
  EXPECT_EQ(repairs.size(), 1u);
  world.postgres.roles_with_another_password.clear();
  repairs[0].done({});
  world.settle();
  EXPECT_TRUE(client.is_closed);  // had been told that there is no connection
  EXPECT_EQ(world.ask(world.log_in(1), query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.postgres.logins(), 1u);
}

TEST(DoorSimulation, RepairsThatDoNotHelpAreNotAskedForWithoutPause) {
  World world({.slots = 1});
  int repairs = 0;
  world.shared.repair_slot = [&](const SlotRepair& repair) {
    ++repairs;
    repair.done(fail(ErrorKind::kUnavailable, "no provisioner"));
  };
  world.postgres.roles_with_another_password = {"partywall_slot_001"};
  for (int i = 0; i < 100; ++i) {
    world.log_in(1);
    world.pass(milliseconds(50));
  }
  EXPECT_GE(repairs, 1);
  EXPECT_LE(repairs, 6);
}

TEST(DoorSimulation, AnswerOfARepairMayComeAfterTheEnd) {
  World world({.slots = 1});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  world.postgres.roles_with_another_password = {"partywall_slot_001"};
  world.log_in(1);
  ASSERT_EQ(repairs.size(), 1u);
  repairs[0].done({});
  world.stop();
}

TEST(DoorSimulation, UnreachableDatabaseIsToldAndLeftAloneForAWhile) {
  World world;
  world.postgres.refuses_logins = true;
  Client& client = world.connect();
  std::string out;
  append_startup_request(out, {{"user", "tenant-1"}, {"database", "shop"}});
  const WallTime now = world.loop.time().wall();
  MessageWriter(out, 'p').c_string(*mint_context({.tenant = id_of(1),
                                                  .audience = Audience::kSql,
                                                  .issued_at = now,
                                                  .expires_at = now + seconds(60),
                                                  .request_id = {}},
                                                 world.directory()->context_keys()));
  client.send(out);
  world.settle();
  EXPECT_EQ(client.take(), "R E:08001");
  world.postgres.refuses_logins = false;
  world.pass(seconds(10));
  Client& later = world.log_in(1);
  EXPECT_EQ(world.ask(later, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorSimulation, ClientThatLeavesInTheMiddleLeavesNothingBehind) {
  World world({.slots = 1});
  Client& other = world.log_in(2);
  for (const std::string& last :
       {query("sleep"), query("begin") + query("select 1"), query("copy in"), query("prepare x"),
        parse("", "select 1") + bind("", ""), message('Q', "x").substr(0, 3)}) {
    Client& client = world.log_in(1);
    client.send(last);
    world.settle();
    client.leave();
    world.pass(seconds(1));
    other.send(query("many"));
    world.settle();
    for (int i = 0; i < 10; ++i) world.pass(milliseconds(100));
    const auto answers = other.take_answers();
    EXPECT_EQ(summary(answers), "D D D C:SELECT 3 Z:I");
    EXPECT_TRUE(shows_only(answers, 2));
  }
}

TEST(DoorSimulation, DrainLetsTransactionsFinish) {
  World world;
  Client& busy = world.log_in(1);
  Client& idle = world.log_in(2);
  world.ask(busy, query("begin") + query("select 1"));
  world.worker().drain();
  world.settle();
  EXPECT_EQ(idle.take(), "E:57P01");
  EXPECT_TRUE(idle.is_closed);
  EXPECT_EQ(world.ask(busy, query("select 2")), "D C:SELECT 1 Z:T");
  EXPECT_EQ(world.ask(busy, query("commit")), "C:COMMIT Z:I E:57P01");
}

TEST(DoorSimulation, LoginTakesNoLongerThanItMay) {
  World world;
  Client& client = world.connect();
  world.pass(seconds(9));
  EXPECT_FALSE(client.is_closed);
  world.pass(seconds(2));
  EXPECT_TRUE(client.is_closed);
}

// One read or write of the network fails, at each step of a conversation of two tenants in turn:
// nobody sees another's rows, and afterwards everything works, with no role used twice.
TEST(DoorSimulation, FailureOfEveryStepOfTheNetwork) {
  uint64_t steps = 0;
  for (uint64_t failing = 0; failing == 0 || failing < steps; ++failing) {
    test::MemoryNetworkFaults faults;
    World world({.slots = 2, .network = {.faults = &faults}});
    if (failing > 0) faults.failing = failing;
    Client& one = world.log_in(1);
    Client& two = world.log_in(2);
    for (int round = 0; round < 2; ++round) {
      for (const auto& [client, number] : {std::pair{&one, 1}, std::pair{&two, 2}}) {
        client->send(query("begin") + query("select 1") + parse("a", "select 1") + bind("", "a") +
                     execute() + sync() + query("commit"));
        world.pass(milliseconds(20));
        EXPECT_TRUE(shows_only(client->take_answers(), static_cast<uint64_t>(number))) << failing;
      }
    }
    steps = std::max(steps, faults.operations);
    faults.failing = UINT64_MAX;
    world.pass(seconds(30));
    for (const uint64_t number : {1, 2, 3}) {
      Client& again = world.log_in(number);
      again.send(query("select 1"));
      world.pass(seconds(1));
      const auto answers = again.take_answers();
      EXPECT_EQ(summary(answers), "D C:SELECT 1 Z:I") << failing;
      EXPECT_TRUE(shows_only(answers, number));
    }
    EXPECT_LE(world.postgres.most_of_a_role(), 1u);
  }
  EXPECT_GT(steps, 20u);
}

}  // namespace
}  // namespace partywall::sql
