#include "policy/concurrency.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(ConcurrencyGate, HoldsTheLimit) {
  ConcurrencyGate gate;
  auto first = gate.try_acquire(2);
  auto second = gate.try_acquire(2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(gate.try_acquire(2));
  first.reset();
  EXPECT_TRUE(gate.try_acquire(2));
}

TEST(ConcurrencyGate, ALimitOfZeroAdmitsNothing) {
  ConcurrencyGate gate;
  EXPECT_FALSE(gate.try_acquire(0));
}

TEST(ConcurrencyGate, ALoweredLimitTakesNothingAway) {
  ConcurrencyGate gate;
  auto first = gate.try_acquire(2);
  auto second = gate.try_acquire(2);
  EXPECT_FALSE(gate.try_acquire(1));
  EXPECT_EQ(gate.in_use(), 2U);
  first.reset();
  EXPECT_FALSE(gate.try_acquire(1));
  second.reset();
  EXPECT_TRUE(gate.try_acquire(1));
}

TEST(ConcurrencyUnits, MoveHandsTheUnitOn) {
  ConcurrencyGate gate;
  {
    ConcurrencyUnits kept;
    EXPECT_FALSE(kept.held());
    {
      auto acquired = gate.try_acquire(5);
      ASSERT_TRUE(acquired);
      kept = std::move(*acquired);
      EXPECT_FALSE(acquired->held());
    }
    EXPECT_TRUE(kept.held());
    EXPECT_EQ(gate.in_use(), 1U);
    kept = std::move(*gate.try_acquire(5));  // gives the first one back
    EXPECT_EQ(gate.in_use(), 1U);
    kept.release();
    kept.release();
    EXPECT_EQ(gate.in_use(), 0U);
  }
  EXPECT_EQ(gate.in_use(), 0U);
}

TEST(ConcurrencyGate, ManyThreadsNeverPassTheLimit) {
  constexpr uint32_t kLimit = 3;
  ConcurrencyGate gate;
  std::atomic<uint32_t> inside{0};
  std::atomic<uint32_t> most{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int step = 0; step < 20'000; ++step) {
        const auto unit = gate.try_acquire(kLimit);
        if (!unit) continue;
        const uint32_t now = inside.fetch_add(1) + 1;
        uint32_t seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        inside.fetch_sub(1);
      }
    });
  }
  threads.clear();
  EXPECT_LE(most.load(), kLimit);
  EXPECT_EQ(gate.in_use(), 0U);
}

}  // namespace
}  // namespace partywall
