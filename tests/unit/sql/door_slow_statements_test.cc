// The log of slow statements: whose they are, how long they took, what was asked.
#include "sql/simulated_door.h"

namespace partywall::sql {
namespace {

using namespace testing;

struct Written {
  std::vector<std::string> lines;
  SlowLog log{[this](const SlowLog::Entry& one, const std::string& text) {
    lines.push_back(fmt::format("{} {} ms, {} rows{}: {}", one.tenant,
                                one.statement.took / milliseconds(1), one.statement.rows,
                                one.statement.failed ? ", failed" : "", text));
  }};
};

void work(World& world, Duration time) {
  world.settle();
  world.pass(time);
  world.postgres.wake_up();
  world.settle();
}

TEST(DoorSlowStatements, ThoseOverTheThresholdAreLogged) {
  Written written;
  World world;
  world.door_settings.slow.of_most = seconds(1);
  world.shared.slow_log = &written.log;
  Client& client = world.log_in(1);
  client.send(query("sleep 'secret'"));
  work(world, milliseconds(900));
  client.send(query("sleep  'secret'"));
  work(world, milliseconds(1'500));
  client.send(query("sleep 17"));
  work(world, milliseconds(2'500));
  EXPECT_EQ(world.ask(client, query("fail")),
            "C:SELECT 1 Z:I C:SELECT 1 Z:I C:SELECT 1 Z:I E:22012 Z:I");
  client.send(query("sleep 3"));
  world.pass(seconds(2));
  client.leave();
  world.pass(seconds(1));
  EXPECT_EQ(world.worker().used(TenantNumber(1), SqlMeter::kSlow), 3u);
  written.log.stop();
  EXPECT_EQ(written.lines, (std::vector<std::string>{"tenant-1 1500 ms, 1 rows: sleep ?",
                                                     "tenant-1 2500 ms, 1 rows: sleep ?",
                                                     "tenant-1 2000 ms, 0 rows: sleep ?"}));
}

TEST(DoorSlowStatements, TiersHaveThresholdsOfTheirOwn) {
  Written written;
  World world;
  world.door_settings.slow.by_tier["free"] = seconds(2);
  world.shared.slow_log = &written.log;
  Client& client = world.log_in(1);
  for (const Duration time : {milliseconds(1'500), milliseconds(2'500)}) {
    client.send(query("sleep"));
    work(world, time);
  }
  EXPECT_EQ(world.worker().used(TenantNumber(1), SqlMeter::kSlow), 1u);
}

}  // namespace
}  // namespace partywall::sql
