#include "policy/tenant_states.h"

#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(TenantStates, AnEntryNeverMoves) {
  TenantStates states;
  TenantState* const first = &states.of(TenantNumber(0));
  for (uint32_t i = 0; i < 5 * TenantStates::kChunkSize; ++i) states.of(TenantNumber(i));
  EXPECT_EQ(&states.of(TenantNumber(0)), first);
}

TEST(TenantStates, TenantsDoNotShareANumberNorACacheLine) {
  TenantStates states;
  std::set<const TenantState*> seen;
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(&states.of(TenantNumber(i))).second);
  EXPECT_EQ(sizeof(TenantState) % 64, 0U);
  EXPECT_LE(sizeof(TenantState), 256U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&states.of(TenantNumber(1))) % 64, 0U);
}

TEST(TenantStates, RefusesANumberBeyondTheEnd) {
  TenantStates states;
  EXPECT_NO_THROW(states.of(TenantNumber(TenantStates::kMaxTenants - 1)));
  EXPECT_THROW(states.of(TenantNumber(TenantStates::kMaxTenants)), std::length_error);
}

TEST(TenantStates, ThreadsThatGrowItSeeTheSameEntries) {
  TenantStates states;
  constexpr uint32_t kTenants = 4096;
  std::vector<std::vector<TenantState*>> seen(4, std::vector<TenantState*>(kTenants));
  std::vector<std::jthread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&states, &mine] {
      for (uint32_t i = 0; i < kTenants; ++i) mine[i] = &states.of(TenantNumber(i));
    });
  }
  threads.clear();
  for (const auto& other : seen) EXPECT_EQ(other, seen.front());
}

}  // namespace
}  // namespace partywall
