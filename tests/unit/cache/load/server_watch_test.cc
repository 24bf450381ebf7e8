#include "cache/load/server_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/load/server_setup.h"
#include "cache/route_world.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TenantId kAcme(Uuid::from_halves(1, 1));
const TenantId kGlobex(Uuid::from_halves(2, 2));
constexpr std::string_view kBusy =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
constexpr std::string_view kNotBusy = "-NOTBUSY No scripts in execution right now.\r\n";

struct Told final : ServerWatchSink {
  void time_used(const TimeUse& use) override { used.push_back(use); }
  void script_ended(TenantId tenant) override { ended.push_back(tenant); }
  void script_goes_on(TenantId tenant) override { going_on.push_back(tenant); }
  [[nodiscard]] Duration longest_script(const CacheRoute&) override { return seconds(1); }

  std::vector<TimeUse> used;
  std::vector<TenantId> ended;
  std::vector<TenantId> going_on;
};

class Watch : public testing::Test {
 protected:
  ScriptedNetwork::Connection& last() { return network_.opened.back(); }
  // What is asked after a moment.
  std::string ask(Duration after = milliseconds(100)) {
    time_.advance(after);
    watch_.tick();
    return last().take();
  }
  void log_in() {
    ask();
    last().say("+OK\r\n");
  }
  ScriptFlights::Units script_of(TenantId tenant, Duration limit) {
    return flights_.begin(
        {.server = at(6379), .tenant = tenant, .limit = limit, .since = time_.monotonic()});
  }
  // Whether it wants to end what runs, after so long.
  bool kills_after(Duration time) {
    const std::string asked = ask(time);
    if (asked.contains("KILL")) return true;
    last().say(kBusy);
    return last().take().contains("KILL");
  }

  ManualTime time_;
  ScriptedNetwork network_;
  ScriptFlights flights_;
  Told told_;
  ServerWatch watch_{
      at(6379),
      std::make_shared<CacheRoute>(cell_with({.name = "main", .endpoints = {at(6379)}}),
                                   CacheInstance{.name = "main", .endpoints = {at(6379)}}),
      network_,
      time_,
      flights_,
      told_};
};

TEST_F(Watch, ReadsTheSlowLogAsItsOwnUser) {
  EXPECT_THAT(ask(), testing::AllOf(HasSubstr("AUTH"), HasSubstr("partywall-watch")));
  last().say("+OK\r\n");
  EXPECT_THAT(ask(), HasSubstr("SLOWLOG"));
  EXPECT_EQ(ask(milliseconds(50)), "") << "one question at a time";
  last().say("*0\r\n");
  EXPECT_EQ(ask(milliseconds(10)), "");
  EXPECT_THAT(ask(), HasSubstr("SLOWLOG"));
  last().say(
      "*1\r\n*6\r\n:0\r\n:1700000000\r\n:1500\r\n*1\r\n$4\r\nSORT\r\n$5\r\na:1:1\r\n$53\r\n"
      "partywall-tenant-00000000-0000-0001-0000-000000000001\r\n");
  ASSERT_EQ(told_.used.size(), 1u);
  EXPECT_EQ(told_.used[0].tenant, kAcme);
  EXPECT_EQ(told_.used[0].took, microseconds(1'500));
}

TEST_F(Watch, EndsAScriptAfterItsTenantsTime) {
  log_in();
  auto script = script_of(kAcme, milliseconds(300));
  EXPECT_FALSE(kills_after(milliseconds(100)));
  EXPECT_TRUE(watch_.busy());
  EXPECT_FALSE(kills_after(milliseconds(150)));
  EXPECT_TRUE(kills_after(milliseconds(50)));
  last().say("+OK\r\n" + std::string(kNotBusy));
  EXPECT_THAT(told_.ended, ElementsAre(kAcme));
  ask();
  last().say("*0\r\n");
  EXPECT_FALSE(watch_.busy());
}

TEST_F(Watch, WhatBeganLaterIsNotWhatRuns) {
  log_in();
  auto script = script_of(kAcme, milliseconds(200));
  EXPECT_FALSE(kills_after(milliseconds(100)));
  time_.advance(milliseconds(1));
  auto other = script_of(kGlobex, minutes(1));
  EXPECT_TRUE(kills_after(milliseconds(100)));
}

TEST_F(Watch, NobodyIsCutShortForSomebodyElse) {
  log_in();
  auto script = script_of(kAcme, milliseconds(200));
  auto other = script_of(kGlobex, milliseconds(600));
  EXPECT_FALSE(kills_after(milliseconds(100)));
  EXPECT_FALSE(kills_after(milliseconds(400)));
  EXPECT_TRUE(kills_after(milliseconds(100)));
  last().say("+OK\r\n" + std::string(kNotBusy));
  EXPECT_THAT(told_.ended, IsEmpty()) << "whose it was is not known";
}

TEST_F(Watch, AScriptOfAnotherNodeIsEndedLater) {
  log_in();
  EXPECT_FALSE(kills_after(milliseconds(100)));
  EXPECT_FALSE(kills_after(milliseconds(1'300)));
  EXPECT_TRUE(kills_after(milliseconds(200)));
}

TEST_F(Watch, AScriptWhoseClientHasGoneIsEndedInTime) {
  log_in();
  {
    auto script = script_of(kAcme, milliseconds(200));
  }
  EXPECT_FALSE(kills_after(milliseconds(100)));
  EXPECT_TRUE(kills_after(milliseconds(100)));
}

TEST_F(Watch, TellsOnceThatAScriptCannotBeEnded) {
  constexpr std::string_view kCannot = "-UNKILLABLE Sorry the script already executed write\r\n";
  log_in();
  auto script = script_of(kAcme, milliseconds(200));
  kills_after(milliseconds(100));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(kills_after(milliseconds(200)));
    last().say(std::string(kCannot) + std::string(kBusy));
  }
  EXPECT_THAT(told_.going_on, ElementsAre(kAcme));
  EXPECT_THAT(told_.ended, IsEmpty());
}

TEST_F(Watch, ComesBackAfterARefusalAndALoss) {
  ask();
  last().say("-WRONGPASS no\r\n");
  EXPECT_TRUE(last().upstream->must_close());
  EXPECT_EQ(network_.opened.size(), 1u);
  ask(seconds(1));
  EXPECT_EQ(network_.opened.size(), 2u);
  last().say("+OK\r\n");
  last().upstream->lost();
  ask(seconds(1));
  EXPECT_EQ(network_.opened.size(), 3u);
}

TEST_F(Watch, ASilentServerIsLeftInTheEnd) {
  log_in();
  EXPECT_THAT(ask(), HasSubstr("SLOWLOG"));
  ask(seconds(2));
  EXPECT_FALSE(last().upstream->must_close());
  ask(seconds(30));
  EXPECT_TRUE(last().upstream->must_close());
}

// What scripts leave behind in Lua.
class WatchOfMemory : public Watch {
 protected:
  WatchOfMemory() { log_in(); }
  static std::string memory(uint64_t mebibytes) {
    const std::string info =
        "# Memory\r\nused_memory:1\r\nused_memory_vm_eval:" + std::to_string(mebibytes << 20) +
        "\r\nused_memory_lua:1\r\n";
    return "$" + std::to_string(info.size()) + "\r\n" + info + "\r\n";
  }
  // What is asked after a second in which the server had so much in Lua; the slow log is empty.
  std::string ask_with(uint64_t mebibytes) {
    EXPECT_THAT(ask(milliseconds(999)), HasSubstr("SLOWLOG"));
    last().say("*0\r\n");
    EXPECT_THAT(ask(milliseconds(1)), HasSubstr("memory"));
    last().say(memory(mebibytes));
    return last().take();
  }
};

TEST_F(WatchOfMemory, IsCollectedWhereItIsMuch) {
  EXPECT_THAT(ask_with(64), HasSubstr("SLOWLOG")) << "which does not wait for it";
  last().say("*0\r\n");
  EXPECT_THAT(ask_with(65), HasSubstr("collectgarbage"));
  last().say(":1024\r\n");  // KiB
  EXPECT_THAT(ask_with(60), HasSubstr("SLOWLOG"));
}

// A tenant that loads many scripts must not have Redis go through all of them every second.
TEST_F(WatchOfMemory, WhatStaysIsNotCollectedForAgain) {
  EXPECT_THAT(ask_with(300), HasSubstr("collectgarbage"));
  last().say(":" + std::to_string(290 << 10) + "\r\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(ask_with(290 + 60), HasSubstr("SLOWLOG"));
    last().say("*0\r\n");
  }
  EXPECT_THAT(ask_with(290 + 65), HasSubstr("collectgarbage"));
  last().say(":1024\r\n");
  EXPECT_THAT(ask_with(66), HasSubstr("collectgarbage")) << "the scripts are gone";
}

TEST_F(WatchOfMemory, IsNoWayAroundTheTimeOfScripts) {
  auto script = script_of(kAcme, milliseconds(200));
  EXPECT_THAT(ask(seconds(1)), HasSubstr("memory"));
  last().say(kBusy);
  EXPECT_TRUE(watch_.busy());
  EXPECT_TRUE(kills_after(milliseconds(100)));
}

TEST_F(WatchOfMemory, ARedisWithOlderUsersIsWatchedAllTheSame) {
  EXPECT_THAT(ask(seconds(1)), HasSubstr("memory"));
  last().say("-NOPERM this user has no permissions to run the 'info' command\r\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(ask(seconds(1)) + ask(milliseconds(100)), HasSubstr("SLOWLOG"));
    last().say("*0\r\n");
  }
}

}  // namespace
}  // namespace partywall::cache
