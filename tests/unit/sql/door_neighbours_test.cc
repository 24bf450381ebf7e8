// What one tenant can do to the connections that it shares with others: cancels, changed slot
// roles, holding all of them.
#include "sql/simulated_door.h"
#include "support/sanitizers.h"

namespace partywall::sql {
namespace {

using namespace testing;

TEST(DoorNeighbours, CancelOfAClientStopsItsStatementOnly) {
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

// The door's connections are bounded, and bound connections of a tenant are all on one worker.
TEST(DoorNeighbours, ATenantsClientsAreBoundedAndNobodyElses) {
  World world({.tenant_clients = 2});
  Client& first = world.log_in(1);
  Client& second = world.log_in(1);
  Client& refused = world.log_in(1);
  EXPECT_TRUE(refused.is_closed);
  EXPECT_EQ(refused.key.pid, 0u);
  EXPECT_EQ(world.worker().counters().refused_clients.value(), 1u);
  EXPECT_EQ(world.ask(world.log_in(2), query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(second, query("select 1")), "D C:SELECT 1 Z:I");
  first.leave();
  world.settle();
  EXPECT_EQ(world.ask(world.log_in(1), query("select 1")), "D C:SELECT 1 Z:I");
}

// A tenant must not be able to make `enter` fail: its connection would be closed.
TEST(DoorNeighbours, CancelIsHeldBackWhileTheDoorsOwnRequestRuns) {
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

TEST(DoorNeighbours, FloodOfCancelsIsPassedOnOneAtATimeAndNotTooOften) {
  World world;
  world.postgres.ignores_cancels = true;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  const uint64_t burst = rounds(100);
  for (uint64_t i = 0; i < 5 * burst; ++i) {
    world.cancel(client.key);
    if (i % burst == burst - 1) world.pass(milliseconds(50));
  }
  EXPECT_GE(world.postgres.cancels(), 2u);
  EXPECT_LE(world.postgres.cancels(), 6u);
  world.postgres.wake_up();
  world.settle();
  EXPECT_EQ(client.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorNeighbours, CancelThatIsHeldBackIsForgottenWithItsStatement) {
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

TEST(DoorNeighbours, ConnectionWaitsForItsCancelBeforeAnotherGetsIt) {
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

TEST(DoorNeighbours, LateCancelHitsNobodyElse) {
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

TEST(DoorNeighbours, SlotRoleWithAnotherPasswordIsRepairedAndUsedAgain) {
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

TEST(DoorNeighbours, RepairsThatDoNotHelpAreNotAskedForWithoutPause) {
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

TEST(DoorNeighbours, AnswerOfARepairMayComeAfterTheEnd) {
  World world({.slots = 1});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  world.postgres.roles_with_another_password = {"partywall_slot_001"};
  world.log_in(1);
  ASSERT_EQ(repairs.size(), 1u);
  repairs[0].done({});
  world.stop();
}

TEST(DoorNeighbours, ATenantNeverHoldsAllConnectionsOfASharedCell) {
  World world({.slots = 4, .max_db_connections = 100});
  std::vector<Client*> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(&world.log_in(1));
  Client& other = world.log_in(2);
  for (Client* client : clients) world.ask(*client, query("begin"));
  for (Client* client : clients) client->send(query("select 1"));
  world.settle();
  int served = 0;
  for (Client* client : clients) served += client->take().empty() ? 0 : 1;
  EXPECT_EQ(served, 3);
  EXPECT_EQ(world.ask(other, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(world.ask(*clients[0], query("commit")), "C:COMMIT Z:I");
  EXPECT_EQ(clients[3]->take(), "D C:SELECT 1 Z:T");
}

// A statement may catch every cancel, and go on after its connection was closed.
TEST(DoorNeighbours, SessionThatRunsOnWithoutItsClientIsEnded) {
  World world({.slots = 1});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  world.postgres.ignores_cancels = true;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  world.settle();
  client.leave();
  world.pass(seconds(2));
  EXPECT_TRUE(repairs.empty());
  world.pass(seconds(2));
  ASSERT_EQ(repairs.size(), 1u);
  EXPECT_EQ(repairs[0].slot, 1u);
  EXPECT_EQ(repairs[0].left_over_pid, 101u);
  repairs[0].done({});
  world.pass(seconds(10));
  EXPECT_EQ(repairs.size(), 1u);
  // Those that end by themselves are left alone.
  Client& other = world.log_in(1);
  EXPECT_EQ(world.ask(other, query("select 1")), "D C:SELECT 1 Z:I");
  other.leave();
  world.pass(seconds(10));
  EXPECT_EQ(repairs.size(), 1u);
}

}  // namespace
}  // namespace partywall::sql
