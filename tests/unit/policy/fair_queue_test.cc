#include "policy/fair_queue.h"

#include <deque>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall {
namespace {

TenantNumber tenant(uint32_t number) { return TenantNumber(number); }

TEST(FairQueue, IsFirstInFirstOutForOneTenant) {
  FairQueue<int> queue;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.push(tenant(0), 1, i));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, ATurnIsTheWeight) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(queue.push(tenant(0), 1, "a"));
    ASSERT_TRUE(queue.push(tenant(1), 3, "b"));
  }
  std::string order;
  while (auto item = queue.pop()) order += *item;
  EXPECT_EQ(order, "abbbabbbaaaa");
}

TEST(FairQueue, BoundsEachTenantAndTheWhole) {
  FairQueue<int> queue({.max_waiting_per_tenant = 2, .max_waiting = 3});
  EXPECT_TRUE(queue.push(tenant(0), 1, 1));
  EXPECT_TRUE(queue.push(tenant(0), 1, 2));
  EXPECT_EQ(queue.push(tenant(0), 1, 3).error(), FairQueueFull::kTenant);
  EXPECT_TRUE(queue.push(tenant(1), 1, 4));
  EXPECT_EQ(queue.push(tenant(1), 1, 5).error(), FairQueueFull::kQueue);
  EXPECT_EQ(queue.push(tenant(2), 1, 6).error(), FairQueueFull::kQueue);
  EXPECT_EQ(queue.tenants_waiting(), 2U);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(tenant(0), 1, 7));
  FairQueue<int> closed({.max_waiting_per_tenant = 0, .max_waiting = 3});
  EXPECT_EQ(closed.push(tenant(0), 1, 1).error(), FairQueueFull::kTenant);
}

TEST(FairQueue, RemoveTakesOutOnlyWhatItsTicketNames) {
  FairQueue<int> queue;
  const auto first = *queue.push(tenant(0), 1, 1);
  const auto middle = *queue.push(tenant(0), 1, 2);
  const auto last = *queue.push(tenant(0), 1, 3);
  EXPECT_EQ(queue.remove(middle), 2);
  EXPECT_EQ(queue.remove(middle), std::nullopt);
  const auto reused = *queue.push(tenant(0), 1, 4);  // in the slot of the middle one
  EXPECT_EQ(queue.remove(middle), std::nullopt);
  EXPECT_EQ(queue.remove(last), 3);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.remove(first), std::nullopt);
  EXPECT_EQ(queue.remove(reused), 4);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.tenants_waiting(), 0U);
  EXPECT_EQ(queue.remove({.slot = 99, .generation = 0}), std::nullopt);
}

// A session that was served without waiting has such a ticket: it must not take out another's item.
TEST(FairQueue, ATicketThatWasNeverGivenNamesNothing) {
  FairQueue<int> queue;
  ASSERT_TRUE(queue.push(tenant(0), 1, 1));
  EXPECT_EQ(queue.remove({}), std::nullopt);
  EXPECT_EQ(queue.size(), 1U);
}

TEST(FairQueue, RemovingAnItemDoesNotCostTheTenantItsPlace) {
  FairQueue<std::string> queue;
  for (const char* item : {"a1", "a2"}) ASSERT_TRUE(queue.push(tenant(0), 1, item));
  const auto b1 = *queue.push(tenant(1), 1, "b1");
  ASSERT_TRUE(queue.push(tenant(1), 1, "b2"));
  ASSERT_TRUE(queue.push(tenant(2), 1, "c1"));
  queue.remove(b1);
  EXPECT_EQ(queue.pop(), "a1");
  EXPECT_EQ(queue.pop(), "b2");
  EXPECT_EQ(queue.pop(), "c1");
}

TEST(FairQueue, ATenantAtItsOwnLimitIsPassedOver) {
  FairQueue<std::string> queue;
  for (const char* item : {"a1", "a2"}) ASSERT_TRUE(queue.push(tenant(0), 1, item));
  ASSERT_TRUE(queue.push(tenant(1), 1, "b1"));
  const auto not_a = [](TenantNumber number) { return number != tenant(0); };
  ASSERT_NE(queue.peek(not_a), nullptr);
  EXPECT_EQ(*queue.peek(not_a), "b1");
  EXPECT_EQ(queue.pop(not_a), "b1");
  EXPECT_EQ(queue.peek(not_a), nullptr);
  EXPECT_EQ(queue.pop(not_a), std::nullopt);
  EXPECT_EQ(queue.waiting(tenant(0)), 2U);
  EXPECT_EQ(queue.pop(), "a1");
}

TEST(FairQueue, AnInterruptedTurnIsOverAndTheNextOneIsWhole) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.push(tenant(0), 3, "a"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(tenant(1), 1, "b"));
  std::string order = *queue.pop();
  order += *queue.pop([](TenantNumber number) { return number != tenant(0); });
  while (auto item = queue.pop()) order += *item;
  EXPECT_EQ(order, "abaaabab");
}

TEST(FairQueue, AWeightOfZeroCountsAsOneAndAChangedOneAtTheNextTurn) {
  FairQueue<std::string> queue;
  ASSERT_TRUE(queue.push(tenant(0), 0, "a"));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue.push(tenant(1), 1, "b"));
  ASSERT_TRUE(queue.push(tenant(1), 2, "b"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(tenant(0), 1, "a"));
  std::string order;
  while (auto item = queue.pop()) order += *item;
  EXPECT_EQ(order, "abbabbaba");
}

TEST(FairQueue, HoldsMoveOnlyItems) {
  FairQueue<std::unique_ptr<int>> queue;
  ASSERT_TRUE(queue.push(tenant(0), 1, std::make_unique<int>(7)));
  auto item = queue.pop();
  ASSERT_TRUE(item);
  EXPECT_EQ(**item, 7);
}

// However much others have waiting, a single item waits for at most one turn of each of them.
TEST(FairQueueProperty, TenThousandWaitingDelayASingleOneByLessThanARound) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    FairQueue<uint32_t> queue({.max_waiting_per_tenant = 10'000, .max_waiting = 50'000});
    const auto others = static_cast<uint32_t>(1 + random.below(4));
    uint64_t round = 0;
    for (uint32_t other = 1; other <= others; ++other) {
      const auto weight = static_cast<uint32_t>(1 + random.below(20));
      round += weight;
      for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(queue.push(tenant(other), weight, other));
    }
    for (int trial = 0; trial < 50; ++trial) {
      for (uint64_t i = random.below(60); i > 0; --i)
        ASSERT_TRUE(queue.pop());  // anywhere in a turn
      ASSERT_TRUE(queue.push(tenant(0), 1, 0));
      uint64_t before = 0;
      while (*queue.pop() != 0) ++before;
      ASSERT_LE(before, round) << "seed " << seed;
    }
  }
}

TEST(FairQueueProperty, TenantsThatAlwaysWaitShareByWeight) {
  FairQueue<uint32_t> queue({.max_waiting_per_tenant = 10'000, .max_waiting = 50'000});
  const std::map<uint32_t, uint32_t> weights = {{0, 1}, {1, 4}, {2, 16}};
  for (const auto& [number, weight] : weights) {
    for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(queue.push(tenant(number), weight, number));
  }
  std::map<uint32_t, uint32_t> served;
  for (int i = 0; i < 21 * 100; ++i) ++served[*queue.pop()];
  for (const auto& [number, weight] : weights) EXPECT_EQ(served[number], weight * 100);
}

// Against a simple model: nothing is lost, doubled or overtaken within its tenant, removal works
// from everywhere, and pop fails only when nothing may be served.
TEST(FairQueueProperty, BehavesLikeASimpleModel) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRandom random(seed);
    FairQueue<uint64_t> queue({.max_waiting_per_tenant = 8, .max_waiting = 20});
    using Ticket = FairQueue<uint64_t>::Ticket;
    std::map<uint32_t, std::deque<std::pair<uint64_t, Ticket>>> model;
    std::vector<Ticket> gone;
    size_t waiting = 0;
    for (uint64_t step = 1; step < 3'000; ++step) {
      const auto number = static_cast<uint32_t>(random.below(5));
      const uint64_t action = random.below(10);
      if (action < 5) {
        const auto ticket =
            queue.push(tenant(number), static_cast<uint32_t>(random.below(4)), step);
        ASSERT_EQ(ticket.has_value(), model[number].size() < 8 && waiting < 20);
        if (!ticket) continue;
        model[number].emplace_back(step, *ticket);
        ++waiting;
      } else if (action < 8) {
        const auto may_serve = [&](TenantNumber t) { return action != 7 || t.value() != number; };
        const uint64_t* next = queue.peek(may_serve);
        const std::optional<uint64_t> peeked = next ? std::optional(*next) : std::nullopt;
        const auto item = queue.pop(may_serve);
        ASSERT_EQ(item, peeked);
        const auto owner = std::ranges::find_if(model, [&](const auto& line) {
          return item && !line.second.empty() && line.second.front().first == *item;
        });
        if (!item) {
          for (const auto& [t, line] : model) ASSERT_TRUE(line.empty() || !may_serve(tenant(t)));
          continue;
        }
        ASSERT_NE(owner, model.end());
        ASSERT_TRUE(may_serve(tenant(owner->first)));
        gone.push_back(owner->second.front().second);
        owner->second.pop_front();
        --waiting;
      } else if (action == 8 && !model[number].empty()) {
        const auto place =
            model[number].begin() + static_cast<ptrdiff_t>(random.below(model[number].size()));
        ASSERT_EQ(queue.remove(place->second), place->first);
        gone.push_back(place->second);
        model[number].erase(place);
        --waiting;
      } else if (!gone.empty()) {
        ASSERT_EQ(queue.remove(gone[random.below(gone.size())]), std::nullopt);
      }
      ASSERT_EQ(queue.size(), waiting);
      ASSERT_EQ(queue.waiting(tenant(number)), model[number].size());
    }
  }
}

}  // namespace
}  // namespace partywall
