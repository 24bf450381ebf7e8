#include "cache/load/slow_lane.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

struct CountingWaker final : Waker {
  void wake() override { ++wakes; }
  int wakes = 0;
};

class Lane : public testing::Test {
 protected:
  SlowLane::Entry enter(SlowLane::Place& place, uint32_t tenant, bool heavy = false,
                        uint32_t weight = 1) {
    return SlowLane::enter(
        lane_, {.tenant = TenantNumber(tenant), .weight = weight, .heavy = heavy}, place);
  }
  std::unique_ptr<SlowLane::Place> place() { return std::make_unique<SlowLane::Place>(waker_); }

  CountingWaker waker_;
  std::shared_ptr<SlowLane> lane_ = std::make_shared<SlowLane>(SlowLaneLimits{
      .at_once = 3, .at_once_of_tenant = 2, .waiting = {.max_waiting_per_tenant = 4}});
};

TEST_F(Lane, ATenantHasSoManyAtOnce) {
  auto a = place();
  auto b = place();
  EXPECT_EQ(enter(*a, 1), SlowLane::Entry::kReady);
  a->use();
  EXPECT_EQ(enter(*a, 1), SlowLane::Entry::kReady);
  a->use();
  EXPECT_EQ(enter(*b, 1), SlowLane::Entry::kWaits);
  EXPECT_EQ(enter(*b, 1), SlowLane::Entry::kWaits) << "it waits once";
  EXPECT_EQ(lane_->waiting(), 1u);
  a->answered();
  EXPECT_EQ(waker_.wakes, 1);
  EXPECT_EQ(enter(*b, 1), SlowLane::Entry::kReady);
  EXPECT_EQ(lane_->under_way(), 1u);
}

TEST_F(Lane, WhoHasUsedMuchGoesOneByOne) {
  auto a = place();
  auto b = place();
  EXPECT_EQ(enter(*a, 1, true), SlowLane::Entry::kReady);
  EXPECT_EQ(enter(*b, 1, true), SlowLane::Entry::kWaits);
}

TEST_F(Lane, ANeighbourDoesNotWaitBehindThousands) {
  std::vector<std::unique_ptr<SlowLane::Place>> flood;
  for (int i = 0; i < 6; ++i) {
    flood.push_back(place());
    enter(*flood.back(), 1);
  }
  auto too_many = place();
  EXPECT_EQ(enter(*too_many, 1), SlowLane::Entry::kFull);
  auto neighbour = place();
  EXPECT_EQ(enter(*neighbour, 2), SlowLane::Entry::kReady);
  EXPECT_EQ(lane_->under_way(), 3u);
  auto next = place();
  EXPECT_EQ(enter(*next, 3), SlowLane::Entry::kWaits);
  flood[0]->leave();
  EXPECT_TRUE(next->ready() || flood[2]->ready());
  flood[1]->leave();
  EXPECT_TRUE(next->ready()) << "each tenant has its turn";
}

TEST_F(Lane, WhoWaitsGivesBackWhatIsAnswered) {
  auto a = place();
  EXPECT_EQ(enter(*a, 1, true), SlowLane::Entry::kReady);
  a->use();
  EXPECT_EQ(enter(*a, 1, true), SlowLane::Entry::kWaits);
  a->answered();
  EXPECT_TRUE(a->ready());
  EXPECT_EQ(lane_->under_way(), 1u);
  a->cancel();
  EXPECT_EQ(lane_->under_way(), 0u);
}

TEST_F(Lane, WhoLeavesMakesRoom) {
  auto a = place();
  auto b = place();
  auto waiting = place();
  enter(*a, 1);
  a->use();
  enter(*b, 1);
  enter(*waiting, 1);
  waiting.reset();
  EXPECT_EQ(lane_->waiting(), 0u);
  a.reset();
  b.reset();
  EXPECT_EQ(lane_->under_way(), 0u);
  EXPECT_EQ(waker_.wakes, 0);
}

}  // namespace
}  // namespace partywall::cache
