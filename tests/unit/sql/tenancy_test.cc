#include "sql/server/tenancy.h"

#include <array>

#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

using enum TenancyState;

// The whole table: a row for each state, a column for each event.
constexpr std::array<std::array<TenancyState, kTenancyEvents>, kTenancyStates> kTable = {{
    // EnterSent  Entered  EnterFailed  WithoutTenant  Soil     ResetSent   ResetDone  ResetFailed
    // Violation
    {kEntering, kBroken, kBroken, kBound, kSoiled, kResetting, kBroken, kBroken, kBroken},  // clean
    {kBroken, kBound, kBroken, kBroken, kBroken, kBroken, kBroken, kBroken, kBroken},  // entering
    {kBroken, kBroken, kBroken, kBroken, kSoiled, kResetting, kBroken, kBroken, kBroken},  // bound
    {kBroken, kBroken, kBroken, kBroken, kSoiled, kResetting, kBroken, kBroken, kBroken},  // soiled
    {kBroken, kBroken, kBroken, kBroken, kBroken, kBroken, kClean, kBroken, kBroken},   // resetting
    {kBroken, kBroken, kBroken, kBroken, kBroken, kBroken, kBroken, kBroken, kBroken},  // broken
}};

TEST(Tenancy, EveryStateHandlesEveryEvent) {
  for (int state = 0; state < kTenancyStates; ++state) {
    for (int event = 0; event < kTenancyEvents; ++event) {
      EXPECT_EQ(
          next_tenancy_state(static_cast<TenancyState>(state), static_cast<TenancyEvent>(event)),
          kTable[static_cast<size_t>(state)][static_cast<size_t>(event)])
          << to_string(static_cast<TenancyState>(state)) << ", event " << event;
    }
  }
}

TEST(Tenancy, OnlyACleanConnectionEntersATenant) {
  for (int state = 0; state < kTenancyStates; ++state) {
    const bool enters =
        next_tenancy_state(static_cast<TenancyState>(state), TenancyEvent::kEnterSent) == kEntering;
    EXPECT_EQ(enters, static_cast<TenancyState>(state) == kClean);
  }
}

TEST(Tenancy, OnlyAProvenResetMakesAConnectionClean) {
  for (int state = 0; state < kTenancyStates; ++state) {
    for (int event = 0; event < kTenancyEvents; ++event) {
      if (next_tenancy_state(static_cast<TenancyState>(state), static_cast<TenancyEvent>(event)) !=
          kClean)
        continue;
      EXPECT_EQ(static_cast<TenancyState>(state), kResetting);
      EXPECT_EQ(static_cast<TenancyEvent>(event), TenancyEvent::kResetDone);
    }
  }
}

}  // namespace
}  // namespace partywall::sql
