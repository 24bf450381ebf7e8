#include "fleet/loop/load_meter.h"

#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

class LoadMeterTest : public testing::Test {
 protected:
  // One second later the instance has done so much more.
  void look(uint64_t begun, uint64_t ended, uint64_t waiting = 0) {
    now += seconds(1);
    total_begun += begun;
    total_ended += ended;
    PoolLoad load{.at = now, .waiting = waiting};
    load.instances.push_back({.id = "a",
                              .endpoint = {"127.0.0.1", 80},
                              .in_flight = static_cast<uint32_t>(total_begun - total_ended),
                              .begun = total_begun,
                              .ended = total_ended});
    meter.look(load, signals);
  }
  double offered() { return signals.average(kOfferedLoad, now, seconds(1)).value; }
  double rate() { return signals.average(kRequestRate, now, seconds(1)).value; }

  LoadMeter meter;
  PoolSignals signals;
  MonotonicTime now{seconds(100)};
  uint64_t total_begun = 0;
  uint64_t total_ended = 0;
};

TEST_F(LoadMeterTest, OneLookSaysNothing) {
  look(10, 0);
  EXPECT_EQ(signals.average(kOfferedLoad, now, seconds(15)).state, SignalState::kMissing);
}

TEST_F(LoadMeterTest, WhatIsInFlightIsTheLoadWhileNobodyWaits) {
  look(50, 40);
  look(100, 100);
  EXPECT_DOUBLE_EQ(offered(), 10);
  EXPECT_DOUBLE_EQ(rate(), 100);
}

// 20 places, each request takes 0.1 s: 200 a second are served, 300 a second come.
TEST_F(LoadMeterTest, WhoWaitsIsCountedByHowLongRequestsTake) {
  look(20, 0);
  look(200, 200, 100);
  look(200, 200, 200);
  EXPECT_NEAR(rate(), 300, 1e-9);
  EXPECT_NEAR(offered(), 30 + 200 * 0.1 / 30, 1e-9);
}

TEST_F(LoadMeterTest, WhenNothingEndsAllThatWaitIsLoad) {
  look(20, 0);
  look(0, 0, 80);
  EXPECT_DOUBLE_EQ(offered(), 100);
}

TEST_F(LoadMeterTest, ADoorThatStandsStillIsNoZero) {
  look(20, 0);
  look(0, 0);
  PoolLoad same{.at = now};
  meter.look(same, signals);
  EXPECT_DOUBLE_EQ(offered(), 20);
}

TEST_F(LoadMeterTest, AnInstanceThatBeganAnewHasNoPast) {
  look(100, 90);
  total_begun = 0;
  total_ended = 0;
  look(7, 7);
  EXPECT_DOUBLE_EQ(rate(), 7);
}

}  // namespace
}  // namespace partywall::fleet
