#include "policy/meters.h"

#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace partywall {
namespace {

enum class TestMeter { kRequests, kBytesIn, kBytesOut, kCount };

TEST(Meters, CountPerTenantAndMeter) {
  Meters<TestMeter> meters;
  meters.add(TenantNumber(0), TestMeter::kRequests);
  meters.add(TenantNumber(0), TestMeter::kBytesIn, 100);
  meters.add(TenantNumber(1000), TestMeter::kRequests, 2);
  EXPECT_EQ(meters.value(TenantNumber(0), TestMeter::kRequests), 1U);
  EXPECT_EQ(meters.value(TenantNumber(0), TestMeter::kBytesIn), 100U);
  EXPECT_EQ(meters.value(TenantNumber(0), TestMeter::kBytesOut), 0U);
  EXPECT_EQ(meters.value(TenantNumber(1), TestMeter::kRequests), 0U);
  EXPECT_EQ(meters.value(TenantNumber(1000), TestMeter::kRequests), 2U);
  EXPECT_EQ(meters.value(TenantNumber(500'000), TestMeter::kRequests), 0U);
}

TEST(Meters, ATenantCostsEightBytesAMeter) {
  EXPECT_EQ(Meters<TestMeter>::kBytesPerTenant, 3 * 8U);
}

TEST(Meters, RowsNeverMove) {
  Meters<TestMeter> meters;
  auto* const first = &meters.row(TenantNumber(0));
  for (uint32_t i = 0; i < 5'000; ++i) meters.add(TenantNumber(i), TestMeter::kRequests);
  EXPECT_EQ(&meters.row(TenantNumber(0)), first);
}

TEST(Meters, RefusesANumberBeyondTheEnd) {
  Meters<TestMeter> meters;
  EXPECT_THROW(meters.row(TenantNumber(TenantStates::kMaxTenants)), std::length_error);
  EXPECT_THROW((void)meters.value(TenantNumber(UINT32_MAX), TestMeter::kRequests),
               std::length_error);
}

// One owner, one reader: a value never goes back, and the thread sanitizer has nothing to say.
TEST(Meters, MayBeReadWhileTheOwnerCounts) {
  Meters<TestMeter> meters;
  constexpr uint32_t kTenants = 2'000;
  std::jthread owner([&] {
    for (int round = 0; round < 20; ++round) {
      for (uint32_t i = 0; i < kTenants; ++i) meters.add(TenantNumber(i), TestMeter::kBytesOut, 3);
    }
  });
  std::vector<uint64_t> before(kTenants);
  for (int round = 0; round < 20; ++round) {
    for (uint32_t i = 0; i < kTenants; ++i) {
      const uint64_t now = meters.value(TenantNumber(i), TestMeter::kBytesOut);
      ASSERT_GE(now, before[i]);
      before[i] = now;
    }
  }
  owner.join();
  for (uint32_t i = 0; i < kTenants; ++i)
    ASSERT_EQ(meters.value(TenantNumber(i), TestMeter::kBytesOut), 60U);
}

}  // namespace
}  // namespace partywall
