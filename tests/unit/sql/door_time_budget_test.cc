// max_cpu_seconds: what tenants use of the database, and what becomes of one that uses too much.
#include "sql/simulated_door.h"

namespace partywall::sql {
namespace {

using namespace testing;

constexpr Duration kGranted = seconds(4);

uint64_t counted(World& world, uint64_t tenant, SqlMeter meter) {
  return world.worker().meters().value(TenantNumber(static_cast<uint32_t>(tenant)), meter);
}

Duration wait_of(World& world, uint64_t tenant) {
  return world.worker().time_of(TenantNumber(static_cast<uint32_t>(tenant))).wait(world.loop.now());
}

// A statement that keeps the server busy for that long.
void busy_work(World& world, Client& client, Duration time) {
  client.send(query("sleep"));
  world.settle();
  world.pass(time);
  world.postgres.wake_up();
  world.settle();
}

TEST(DoorTimeBudget, OverItATenantGoesOnAndOverTwiceItIsRefusedWithTheTime) {
  World world({.max_cpu_time = kGranted});
  Client& client = world.log_in(1);
  Client& neighbour = world.log_in(2);
  busy_work(world, client, milliseconds(4'500));
  EXPECT_EQ(client.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(counted(world, 1, SqlMeter::kOverBudget), 0u);
  busy_work(world, client, milliseconds(4'500));
  EXPECT_EQ(client.take(), "C:SELECT 1 Z:I");
  EXPECT_EQ(counted(world, 1, SqlMeter::kOverBudget), 1u);
  client.send(query("select 1"));
  world.settle();
  const auto answers = client.take_answers();
  EXPECT_EQ(summary(answers), "E:53400 Z:I");
  EXPECT_NE(answers[0].body.find("Try again in 8"), std::string::npos) << answers[0].body;
  EXPECT_EQ(counted(world, 1, SqlMeter::kBudgetRefusals), 1u);
  EXPECT_EQ(world.ask(neighbour, query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(counted(world, 2, SqlMeter::kOverBudget), 0u);
  world.pass(minutes(16));  // what it owes has become less than twice the grant
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorTimeBudget, TransactionsUnderWayAreNotCut) {
  World world({.max_cpu_time = kGranted});
  Client& client = world.log_in(1);
  EXPECT_EQ(world.ask(client, query("begin")), "C:BEGIN Z:T");
  for (int i = 0; i < 4; ++i) {
    busy_work(world, client, seconds(4));
    EXPECT_EQ(client.take(), "C:SELECT 1 Z:T");
  }
  EXPECT_EQ(world.ask(client, query("commit")), "C:COMMIT Z:I");
  EXPECT_EQ(world.ask(client, query("begin")), "C:BEGIN Z:T");  // the door answers it by itself
  EXPECT_EQ(world.ask(client, query("select 1")), "E:53400 Z:E");
  EXPECT_EQ(world.ask(client, query("rollback")), "C:ROLLBACK Z:I");
}

TEST(DoorTimeBudget, NobodyIsLockedOutForLongerThanAnHour) {
  World world({.max_cpu_time = seconds(1)});
  Client& client = world.log_in(1);
  world.ask(client, query("begin"));
  for (int i = 0; i < 20; ++i) busy_work(world, client, seconds(4));
  world.ask(client, query("commit"));
  client.take();
  EXPECT_EQ(world.ask(client, query("select 1")), "E:53400 Z:I");
  world.pass(minutes(61));
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

// Whoever keeps its connection does not ask the pool again.
TEST(DoorTimeBudget, SessionStateOnTheServerIsNoWayAroundIt) {
  World world({.max_cpu_time = kGranted});
  Client& client = world.log_in(1);
  EXPECT_EQ(world.ask(client, query("listen news")), "C:PREPARE Z:I");
  busy_work(world, client, milliseconds(4'500));
  busy_work(world, client, milliseconds(4'500));
  client.take();
  EXPECT_EQ(world.ask(client, query("select 1")), "E:53400 Z:I");
  EXPECT_EQ(world.ask(client, parse("", "select 1") + bind("", "") + execute() + sync()),
            "E:53400 Z:I");
  world.pass(minutes(16));
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(DoorTimeBudget, LeavingBeforeTheAnswerIsNoWayAroundIt) {
  World world({.max_cpu_time = kGranted});
  for (int i = 0; i < 2; ++i) {
    Client& client = world.log_in(1);
    client.send(query("sleep"));
    world.pass(milliseconds(4'500));
    client.leave();
    world.pass(seconds(5));  // its connection counts as the tenant's for three of them
  }
  EXPECT_EQ(world.ask(world.log_in(1), query("select 1")), "E:53400 Z:I");
}

// Nor is a statement that runs on, because it catches its cancel.
TEST(DoorTimeBudget, WhatRunsOnWithoutItsClientCountsUntilItIsEnded) {
  World world({.slots = 1, .max_cpu_time = kGranted});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  world.postgres.ignores_cancels = true;
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  world.settle();
  client.leave();
  world.pass(seconds(7));
  EXPECT_EQ(wait_of(world, 1), Duration(0));
  ASSERT_EQ(repairs.size(), 1u);
  repairs[0].done(true);
  world.settle();
  EXPECT_GT(wait_of(world, 1), minutes(30));
}

// One that had ended by itself, when it was looked for, has not run for all that time.
TEST(DoorTimeBudget, WhatHadEndedWithItsClientDoesNotCount) {
  World world({.slots = 1, .max_cpu_time = kGranted});
  std::vector<SlotRepair> repairs;
  world.shared.repair_slot = [&](SlotRepair repair) { repairs.push_back(std::move(repair)); };
  Client& client = world.log_in(1);
  client.send(query("sleep"));
  world.settle();
  client.leave();
  world.pass(seconds(7));
  for (SlotRepair& repair : repairs) repair.done(false);
  world.settle();
  EXPECT_LT(world.worker().time_of(TenantNumber(1)).owed(kGranted, world.loop.now()), seconds(1));
}

TEST(DoorTimeBudget, SuspendedTenantsDoNotGoOnOnAConnectionThatTheyKept) {
  World world;
  Client& client = world.log_in(1);
  EXPECT_EQ(world.ask(client, query("listen news")), "C:PREPARE Z:I");
  world.worker().set_directory(world.directory(TenantStatus::kSuspended), nullptr);
  EXPECT_EQ(world.ask(client, query("select 1")), "E:28000 Z:I");
  world.worker().set_directory(world.directory(), nullptr);
  EXPECT_EQ(world.ask(client, query("select 1")), "D C:SELECT 1 Z:I");
}

// Of two that wait for the same connection, the heavier tenant is served first only while it is
// within its budget.
TEST(DoorTimeBudget, OverItTheWeightIsTheLowest) {
  for (const bool is_over : {false, true}) {
    World world({.slots = 1, .max_cpu_time = kGranted, .first_weight = 4});
    Client& holder = world.log_in(3);
    if (is_over) busy_work(world, world.log_in(1), milliseconds(4'500));
    world.ask(holder, query("begin") + query("select 1"));
    std::vector<Client*> heavy;
    std::vector<Client*> light;
    for (int i = 0; i < 4; ++i) heavy.push_back(&world.log_in(1));
    for (int i = 0; i < 4; ++i) light.push_back(&world.log_in(2));
    for (Client* client : heavy) client->send(query("sleep"));
    for (Client* client : light) client->send(query("sleep"));
    world.settle();
    world.ask(holder, query("commit"));
    std::string order;
    for (int i = 0; i < 8; ++i) {
      world.postgres.wake_up();
      world.settle();
      for (Client* client : heavy) order += client->take().empty() ? "" : "h";
      for (Client* client : light) order += client->take().empty() ? "" : "l";
    }
    EXPECT_EQ(order, is_over ? "hlhlhlhl" : "hhhhllll");
  }
}

}  // namespace
}  // namespace partywall::sql
