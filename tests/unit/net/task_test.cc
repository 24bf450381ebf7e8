#include "net/task.h"

#include <stdexcept>

#include "net/drain.h"
#include "net/scope.h"
#include "support/simulated_loop.h"

namespace partywall::net {
namespace {

using test::SimulatedLoop;

Task<int> add(int a, int b) { co_return a + b; }

Task<int64_t> sum_of_many(int count) {
  int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await add(i, 0);
  co_return sum;
}

Task<> store(int64_t& into, Task<int64_t> task) { into = co_await std::move(task); }

Task<int> throwing() {
  throw std::runtime_error("broken invariant");
  co_return 0;
}

Task<> catching(std::string& what) {
  try {
    co_await throwing();
  } catch (const std::runtime_error& error) {
    what = error.what();
  }
}

Task<> wait_for(Event& event, int& woken) {
  co_await event.wait();
  ++woken;
}

TEST(TaskTest, ReturnsItsValueThroughManyAwaits) {
  SimulatedLoop loop;
  TaskScope scope(loop);
  int64_t result = 0;
  // Far more than the stack would bear if each await nested a call.
  scope.spawn(store(result, sum_of_many(1'000'000)));
  EXPECT_EQ(result, 499'999'500'000);
  EXPECT_EQ(scope.running(), 0u);
}

TEST(TaskTest, ExceptionsReachTheAwaiter) {
  SimulatedLoop loop;
  TaskScope scope(loop);
  std::string what;
  scope.spawn(catching(what));
  EXPECT_EQ(what, "broken invariant");
}

TEST(TaskTest, ATaskThatIsNeverAwaitedIsFreed) {
  {
    auto task = add(1, 2);
  }
}

TEST(EventTest, WakesTheWaiterLaterAndOnlyOnce) {
  SimulatedLoop loop;
  Event event(loop);
  TaskScope scope(loop);
  int woken = 0;
  scope.spawn(wait_for(event, woken));
  event.set();
  event.set();
  EXPECT_EQ(woken, 0) << "set() must not run the waiter inside the caller";
  loop.run_ready();
  EXPECT_EQ(woken, 1);
}

TEST(EventTest, IsRememberedForTheNextWaiter) {
  SimulatedLoop loop;
  Event event(loop);
  TaskScope scope(loop);
  int woken = 0;
  event.set();
  scope.spawn(wait_for(event, woken));
  EXPECT_EQ(woken, 1);
}

TEST(EventTest, LinksAndEventsMayDieInAnyOrder) {
  SimulatedLoop loop;
  EventLink outlives_event;
  {
    Event event(loop);
    outlives_event.arm(event);
    EventLink dies_first;
    dies_first.arm(event);
  }
  EXPECT_FALSE(outlives_event.armed());
  outlives_event.fire();
}

TEST(TaskScopeTest, JoinWaitsForAllTasks) {
  SimulatedLoop loop;
  Event first(loop);
  Event second(loop);
  TaskScope scope(loop);
  TaskScope outer(loop);
  int woken = 0;
  scope.spawn(wait_for(first, woken));
  scope.spawn(wait_for(second, woken));
  outer.spawn(scope.join());
  first.set();
  loop.run_ready();
  EXPECT_EQ(outer.running(), 1u);
  second.set();
  loop.run_ready();
  EXPECT_EQ(outer.running(), 0u);
  EXPECT_EQ(woken, 2);
}

TEST(DrainTest, WakesEveryWatcherAtEachStage) {
  SimulatedLoop loop;
  Drain drain;
  Event event(loop);
  TaskScope scope(loop);
  int woken = 0;
  {
    Drain::Watch watch(drain, event);
    scope.spawn(wait_for(event, woken));
    drain.request();
    loop.run_ready();
    EXPECT_TRUE(drain.requested());
    EXPECT_FALSE(drain.must_close());
    scope.spawn(wait_for(event, woken));
    drain.request_close();
    loop.run_ready();
    EXPECT_TRUE(drain.must_close());
    EXPECT_EQ(drain.watchers(), 1u);
  }
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(drain.watchers(), 0u);
}

}  // namespace
}  // namespace partywall::net
