#include "sql/pool/pool_plan.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall::sql {
namespace {

using PlanAction = PoolPlan::Action;
using Cleanliness = PoolPlan::Cleanliness;

TenantId tenant(uint64_t number) { return TenantId(Uuid::from_halves(0, number)); }

class PoolPlanTest : public ::testing::Test {
 protected:
  explicit PoolPlanTest(uint32_t slots = 3) : plan_(slots, {}) {}

  PoolWaiter waiter(uint64_t number) {
    return {.tenant = tenant(number), .number = TenantNumber(static_cast<uint32_t>(number))};
  }
  PoolPlan::Step next() {
    return plan_.next(now_, [](TenantNumber) { return true; });
  }
  // Opens a connection and leaves it bound to the tenant (0: clean).
  PoolPlan::Slot open(uint64_t number) {
    for (const auto& [slot, owner] : opened_) {  // nothing is idle meanwhile
      PoolWaiter owner_waits = waiter(owner);
      EXPECT_EQ(plan_.take_idle(owner_waits).slot, slot);
    }
    PoolWaiter who = waiter(number);
    const auto ticket = *plan_.enqueue(who);
    const PoolPlan::Slot opened = next().slot;
    plan_.leave(ticket);
    plan_.connected(opened, now_);
    opened_.emplace_back(opened, number);
    for (const auto& [slot, owner] : opened_) {
      plan_.idle(slot, owner == 0 ? Cleanliness::kClean : Cleanliness::kBound, tenant(owner), now_);
    }
    return opened;
  }

  std::vector<std::pair<PoolPlan::Slot, uint64_t>> opened_;
  PoolPlan plan_;
  MonotonicTime now_{seconds(100)};
};

TEST_F(PoolPlanTest, NothingIsDoneForNobody) { EXPECT_EQ(next().action, PlanAction::kNothing); }

TEST_F(PoolPlanTest, TheFirstWaiterGetsANewConnection) {
  PoolWaiter one = waiter(1);
  ASSERT_TRUE(plan_.enqueue(one));
  const auto connect = next();
  EXPECT_EQ(connect.action, PlanAction::kConnect);
  EXPECT_EQ(next().action, PlanAction::kNothing);
  plan_.connected(connect.slot, now_);
  const auto grant = next();
  EXPECT_EQ(grant.action, PlanAction::kGrant);
  EXPECT_EQ(grant.slot, connect.slot);
  EXPECT_EQ(grant.waiter, &one);
}

TEST_F(PoolPlanTest, OwnConnectionBeforeCleanBeforeAnothersOne) {
  const auto clean = open(0);
  const auto first = open(1);
  const auto second = open(2);
  PoolWaiter who = waiter(1);
  auto step = plan_.take_idle(who);
  EXPECT_EQ(step.action, PlanAction::kGrant);
  EXPECT_EQ(step.slot, first);
  step = plan_.take_idle(who);
  EXPECT_EQ(step.action, PlanAction::kGrant);
  EXPECT_EQ(step.slot, clean);
  step = plan_.take_idle(who);
  EXPECT_EQ(step.action, PlanAction::kReset);
  EXPECT_EQ(step.slot, second);
  EXPECT_EQ(plan_.take_idle(who).action, PlanAction::kNothing);
}

TEST_F(PoolPlanTest, AnotherTenantsConnectionIsTheOneIdleLongest) {
  const auto first = open(1);
  const auto second = open(2);
  PoolWaiter one = waiter(1);
  EXPECT_EQ(plan_.take_idle(one).slot, first);
  plan_.idle(first, Cleanliness::kBound, tenant(1), now_);
  PoolWaiter three = waiter(3);
  const auto step = plan_.take_idle(three);
  EXPECT_EQ(step.action, PlanAction::kReset);
  EXPECT_EQ(step.slot, second);
}

TEST_F(PoolPlanTest, TakingAnothersConnectionMakesThePoolGrow) {
  open(1);
  PoolWaiter two = waiter(2);
  EXPECT_EQ(plan_.take_idle(two).action, PlanAction::kReset);
  EXPECT_EQ(next().action, PlanAction::kConnect);
  EXPECT_EQ(next().action, PlanAction::kNothing);
}

TEST_F(PoolPlanTest, SoiledConnectionsAreResetBeforeAnyUse) {
  const auto slot = open(1);
  plan_.idle(slot, Cleanliness::kSoiled, tenant(1), now_);
  PoolWaiter one = waiter(1);
  EXPECT_EQ(plan_.take_idle(one).action, PlanAction::kNothing);
  const auto step = next();
  EXPECT_EQ(step.action, PlanAction::kReset);
  EXPECT_EQ(step.waiter, nullptr);
  plan_.idle(slot, Cleanliness::kClean, TenantId(), now_);
  EXPECT_EQ(plan_.take_idle(one).action, PlanAction::kGrant);
}

TEST_F(PoolPlanTest, ATenantAtItsLimitDoesNotKeepOthersWaiting) {
  open(0);
  PoolWaiter one = waiter(1);
  PoolWaiter two = waiter(2);
  ASSERT_TRUE(plan_.enqueue(one));
  ASSERT_TRUE(plan_.enqueue(two));
  const auto step = plan_.next(now_, [](TenantNumber number) { return number != TenantNumber(1); });
  EXPECT_EQ(step.action, PlanAction::kGrant);
  EXPECT_EQ(step.waiter, &two);
}

TEST_F(PoolPlanTest, FailedLoginsBackOff) {
  PoolWaiter one = waiter(1);
  ASSERT_TRUE(plan_.enqueue(one));
  Duration waited{};
  for (int failure = 0; failure < 8; ++failure) {
    const auto step = next();
    ASSERT_EQ(step.action, PlanAction::kConnect) << failure;
    plan_.connect_failed(step.slot, now_);
    EXPECT_TRUE(plan_.is_down());
    EXPECT_EQ(next().action, PlanAction::kNothing);
    const auto again = plan_.next_connect();
    ASSERT_TRUE(again);
    EXPECT_GE(*again - now_, waited);
    waited = *again - now_;
    EXPECT_LE(waited, PoolLimits().longest_backoff);
    now_ = *again;
  }
  EXPECT_EQ(waited, PoolLimits().longest_backoff);
}

TEST_F(PoolPlanTest, ASlotThatFailsDoesNotStopTheOthers) {
  open(1);
  PoolWaiter one = waiter(2);
  PoolWaiter two = waiter(3);
  ASSERT_EQ(plan_.take_idle(one).action, PlanAction::kReset);  // nothing is idle now
  ASSERT_TRUE(plan_.enqueue(two));
  const auto first = next();
  ASSERT_EQ(first.action, PlanAction::kConnect);
  plan_.connect_failed(first.slot, now_);
  const auto second = next();
  ASSERT_EQ(second.action, PlanAction::kConnect);
  EXPECT_NE(second.slot, first.slot);
}

TEST_F(PoolPlanTest, ARoleThatIsInUseSaysNothingAboutTheServer) {
  PoolWaiter one = waiter(1);
  ASSERT_TRUE(plan_.enqueue(one));
  const auto first = next();
  ASSERT_EQ(first.action, PlanAction::kConnect);
  plan_.role_in_use(first.slot, now_);
  EXPECT_FALSE(plan_.is_down());
  const auto second = next();
  ASSERT_EQ(second.action, PlanAction::kConnect) << "the other slots are tried at once";
  EXPECT_NE(second.slot, first.slot);
}

TEST_F(PoolPlanTest, AClosedSlotRestsAndTheLongestRestedIsUsedFirst) {
  const auto first = open(1);
  const auto second = open(2);
  plan_.closed(first, now_);
  now_ += milliseconds(1);
  plan_.closed(second, now_);
  PoolWaiter one = waiter(1);
  PoolWaiter two = waiter(2);
  ASSERT_TRUE(plan_.enqueue(one));
  ASSERT_TRUE(plan_.enqueue(two));
  EXPECT_EQ(next().slot, 2u);  // the one never used
  EXPECT_EQ(next().action, PlanAction::kNothing);
  now_ += seconds(1);
  EXPECT_EQ(next().slot, first);
}

TEST_F(PoolPlanTest, ASpareIsCleanedOnlyWhereNoneIsClean) {
  const auto first = open(1);
  open(2);
  EXPECT_EQ(plan_.clean_spare(now_, seconds(1)), std::nullopt);
  now_ += seconds(1);
  EXPECT_EQ(plan_.clean_spare(now_, seconds(1)), first);
  plan_.idle(first, Cleanliness::kClean, TenantId(), now_);
  EXPECT_EQ(plan_.clean_spare(now_, seconds(1)), std::nullopt);
}

// Any sequence of events: a connection is never given to two, nor to a tenant without a reset in
// between when another one had it; and everybody is served in the end.
TEST(PoolPlanProperty, NobodyGetsWhatIsNotHisToHave) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    PoolPlan plan(1 + static_cast<uint32_t>(random.below(5)), {});
    MonotonicTime now{seconds(1)};
    enum class Use { kEmpty, kConnecting, kIdle, kBusy, kResetting };
    struct Shadow {
      Use use = Use::kEmpty;
      uint64_t owner = 0;  // 0: clean
      PoolWaiter* reserved = nullptr;
    };
    std::map<PoolPlan::Slot, Shadow> slots;
    std::vector<std::unique_ptr<PoolWaiter>> waiters;
    size_t granted = 0;
    const auto apply = [&](const PoolPlan::Step& step) {
      Shadow& slot = slots[step.slot];
      switch (step.action) {
        case PlanAction::kConnect:
          ASSERT_EQ(slot.use, Use::kEmpty);
          slot = {.use = Use::kConnecting};
          break;
        case PlanAction::kGrant:
          ASSERT_EQ(slot.use, Use::kIdle);
          ASSERT_TRUE(slot.owner == 0 || tenant(slot.owner) == step.waiter->tenant);
          slot.use = Use::kBusy;
          slot.owner = step.waiter->tenant.value().low();
          ++granted;
          break;
        case PlanAction::kReset:
          ASSERT_EQ(slot.use, Use::kIdle);
          slot.use = Use::kResetting;
          slot.reserved = step.waiter;
          break;
        case PlanAction::kNothing:
          break;
      }
    };
    for (int turn = 0; turn < 400 || granted < waiters.size(); ++turn) {
      ASSERT_LT(turn, 5000) << "somebody waits for ever, seed " << seed;
      now += milliseconds(1 + random.below(30));
      if (turn < 400 && random.below(2) == 0) {
        const uint64_t number = 1 + random.below(4);
        waiters.push_back(std::make_unique<PoolWaiter>(
            PoolWaiter{tenant(number), TenantNumber(static_cast<uint32_t>(number)), 1}));
        ASSERT_TRUE(plan.enqueue(*waiters.back()));
      }
      while (true) {
        const auto step = plan.next(now, [](TenantNumber) { return true; });
        if (step.action == PlanAction::kNothing) break;
        apply(step);
      }
      for (auto& [index, slot] : slots) {
        if (random.below(2) == 0) continue;
        if (slot.use == Use::kConnecting) {
          if (random.below(4) == 0 && turn < 400) {
            plan.connect_failed(index, now);
            slot = {};
          } else {
            plan.connected(index, now);
            slot.use = Use::kIdle;
            slot.owner = 0;
          }
        } else if (slot.use == Use::kBusy) {
          if (random.below(6) == 0) {
            plan.closed(index, now);
            slot = {};
          } else {
            plan.idle(index, Cleanliness::kBound, tenant(slot.owner), now);
            slot.use = Use::kIdle;
          }
        } else if (slot.use == Use::kResetting) {
          PoolWaiter* reserved = std::exchange(slot.reserved, nullptr);
          if (random.below(6) == 0 && turn < 400) {
            plan.closed(index, now);
            slot = {};
            if (reserved) {
              ASSERT_TRUE(plan.enqueue(*reserved));
            }
          } else if (reserved) {
            slot.use = Use::kBusy;
            slot.owner = reserved->tenant.value().low();
            ++granted;
          } else {
            plan.idle(index, Cleanliness::kClean, TenantId(), now);
            slot.use = Use::kIdle;
            slot.owner = 0;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace partywall::sql
