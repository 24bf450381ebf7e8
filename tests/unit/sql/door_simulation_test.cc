// The door's part on one worker, whole, on a virtual clock and an in-memory network: logins, pools,
// sessions, time limits, failures at every step.
#include "sql/simulated_door.h"
#include "support/sanitizers.h"

namespace partywall::sql {
namespace {

using namespace testing;

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

// Who says something in it now and then is not idle, but holds what it has locked all the same.
TEST(DoorSimulation, TransactionThatIsKeptOpenIsEnded) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  Client& two = world.log_in(2);
  EXPECT_EQ(world.ask(one, query("begin") + query("select 1")), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  for (int i = 0; i < 9; ++i) {
    world.pass(seconds(31));
    EXPECT_EQ(world.ask(one, query("select 1")), "D C:SELECT 1 Z:T") << i;
  }
  world.pass(seconds(31));
  EXPECT_EQ(one.take(), "E:25P04");
  EXPECT_TRUE(one.is_closed);
  EXPECT_EQ(world.ask(two, query("select 1")), "D C:SELECT 1 Z:I");
}

// Transactions one after another are each counted from their own beginning.
TEST(DoorSimulation, ShortTransactionsMayGoOnForEver) {
  World world({.slots = 1});
  Client& one = world.log_in(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(world.ask(one, query("begin") + query("select 1")), "C:BEGIN Z:T D C:SELECT 1 Z:T");
    world.pass(seconds(31));
    EXPECT_EQ(world.ask(one, query("commit")), "C:COMMIT Z:I");
  }
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
  for (uint64_t failing = 0; failing == 0 || failing < steps; failing += kSanitized ? 5 : 1) {
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
