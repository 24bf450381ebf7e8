#include "cache/load/script_flights.h"

#include <gtest/gtest.h>

#include "cache/route_world.h"

namespace partywall::cache {
namespace {

MonotonicTime after(int64_t units) { return MonotonicTime(milliseconds(units)); }

ScriptFlight flight(uint64_t tenant, uint16_t port, int64_t since) {
  return {.server = at(port),
          .tenant = TenantId(Uuid::from_halves(tenant, tenant)),
          .limit = milliseconds(200),
          .since = after(since)};
}

TEST(ScriptFlights, KnowsWhatIsAtAServerSinceThen) {
  ScriptFlights flights;
  auto first = flights.begin(flight(1, 1, 10));
  auto second = flights.begin(flight(2, 1, 20));
  auto elsewhere = flights.begin(flight(3, 2, 10));
  EXPECT_EQ(flights.at(at(1), after(5)).size(), 0u);
  ASSERT_EQ(flights.at(at(1), after(15)).size(), 1u);
  EXPECT_EQ(flights.at(at(1), after(15)).front().tenant, TenantId(Uuid::from_halves(1, 1)));
  EXPECT_EQ(flights.at(at(1), after(20)).size(), 2u);
  first.landed();
  ASSERT_EQ(flights.at(at(1), after(20)).size(), 1u);
  EXPECT_EQ(flights.at(at(1), after(20)).front().tenant, TenantId(Uuid::from_halves(2, 2)));
}

TEST(ScriptFlights, AScriptWhoseClientHasGoneMayStillRun) {
  ScriptFlights flights;
  {
    auto gone = flights.begin(flight(1, 1, 10));
  }
  EXPECT_EQ(flights.at(at(1), after(10)).size(), 1u);
  flights.server_is_idle(at(2));
  flights.server_is_idle(at(2));
  flights.server_is_idle(at(1));
  EXPECT_EQ(flights.at(at(1), after(10)).size(), 1u) << "it may have begun after the question";
  flights.server_is_idle(at(1));
  EXPECT_EQ(flights.at(at(1), after(10)).size(), 0u);
}

TEST(ScriptFlights, ClientsThatComeAndGoTakeNoMemory) {
  ScriptFlights flights;
  for (int64_t i = 0; i < 5'000; ++i) static_cast<void>(flights.begin(flight(1, 1, i)));
  EXPECT_LE(flights.at(at(1), after(10'000)).size(), 1'000u);
}

}  // namespace
}  // namespace partywall::cache
