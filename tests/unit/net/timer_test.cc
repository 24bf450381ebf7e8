#include "net/timer.h"

#include <random>

#include "net/event.h"
#include "support/simulated_loop.h"

namespace partywall::net {
namespace {

using test::SimulatedLoop;

class TimerTest : public ::testing::Test {
 protected:
  SimulatedLoop loop;
  Event event{loop};
};

TEST_F(TimerTest, FiresAfterItsDeadlineAndNeverBefore) {
  Timer timer(loop.timers(), event);
  timer.arm(loop.now() + milliseconds(100));
  loop.advance(milliseconds(99));
  EXPECT_FALSE(timer.fired());
  loop.advance(milliseconds(1) + TimerQueue::kTick);
  EXPECT_TRUE(timer.fired());
  EXPECT_FALSE(timer.armed());
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(TimerTest, DisarmedOrDestroyedTimersNeverFire) {
  Timer timer(loop.timers(), event);
  timer.arm(loop.now() + milliseconds(10));
  timer.disarm();
  {
    Timer(loop.timers(), event).arm(loop.now() + milliseconds(10));
  }
  loop.advance(seconds(1));
  EXPECT_FALSE(timer.fired());
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(TimerTest, ArmingAgainReplacesTheDeadline) {
  Timer timer(loop.timers(), event);
  timer.arm(loop.now() + milliseconds(10));
  timer.arm(loop.now() + seconds(60));  // many rounds of the wheel
  loop.advance(seconds(59));
  EXPECT_FALSE(timer.fired());
  loop.advance(seconds(2));
  EXPECT_TRUE(timer.fired());
}

TEST_F(TimerTest, AnEarlierDeadlineIsAnnouncedToTheOwnerOfTheQueue) {
  std::vector<MonotonicTime> announced;
  loop.timers().on_earlier([&](MonotonicTime due) { announced.push_back(due); });
  Timer late(loop.timers(), event);
  Timer later(loop.timers(), event);
  Timer early(loop.timers(), event);
  late.arm(loop.now() + seconds(2));
  later.arm(loop.now() + seconds(3));
  early.arm(loop.now() + seconds(1));
  ASSERT_EQ(announced.size(), 2u);
  EXPECT_GT(announced[0], announced[1]);
}

TEST_F(TimerTest, RandomDeadlinesAllFireWithinOneTick) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::pair<MonotonicTime, std::unique_ptr<Timer>>> timers;
    for (int i = 0; i < 40; ++i) {
      const auto deadline = loop.now() + milliseconds(random() % 20'000);
      timers.emplace_back(deadline, std::make_unique<Timer>(loop.timers(), event));
      timers.back().second->arm(deadline);
    }
    for (int step = 0; step < 30; ++step) {
      loop.advance(milliseconds(random() % 1'000));
      for (const auto& [deadline, timer] : timers) {
        if (timer->fired()) EXPECT_LE(deadline, loop.now());
        if (deadline + TimerQueue::kTick <= loop.now()) EXPECT_TRUE(timer->fired());
      }
    }
  }
}

}  // namespace
}  // namespace partywall::net
