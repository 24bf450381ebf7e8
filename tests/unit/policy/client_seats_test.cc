#include "policy/client_seats.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(ClientSeats, AreCountedForEachTenantByItself) {
  ClientSeats seats(2);
  auto first = seats.take(TenantNumber(1));
  auto second = seats.take(TenantNumber(1));
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(seats.take(TenantNumber(1)));
  EXPECT_TRUE(seats.take(TenantNumber(2)));
  first.reset();
  EXPECT_TRUE(seats.take(TenantNumber(1)));
}

TEST(ClientSeats, AreGivenBackOnceHoweverTheyMove) {
  ClientSeats seats(1);
  {
    auto taken = seats.take(TenantNumber(1));
    ClientSeats::Units moved = *std::move(taken);
    taken.reset();
    EXPECT_FALSE(seats.take(TenantNumber(1)));
    ClientSeats::Units again = std::move(moved);
    EXPECT_FALSE(seats.take(TenantNumber(1)));
  }
  EXPECT_TRUE(seats.take(TenantNumber(1)));
}

TEST(ClientSeats, AreNeverMoreThanTheLimitOnManyThreads) {
  ClientSeats seats(3);
  std::atomic<int> most = 0;
  std::atomic<int> now = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        const auto seat = seats.take(TenantNumber(7));
        if (!seat) continue;
        const int taken = ++now;
        int seen = most;
        while (seen < taken && !most.compare_exchange_weak(seen, taken)) {
        }
        --now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_TRUE(seats.take(TenantNumber(7)));
}

}  // namespace
}  // namespace partywall
