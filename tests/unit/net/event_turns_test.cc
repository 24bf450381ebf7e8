#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/event.h"
#include "net/others_first.h"
#include "net/scope.h"
#include "net/worker.h"

namespace partywall::net {
namespace {

using testing::ElementsAre;

Task<> note_when_set(Event& event, Event::Turn turn, std::string name,
                     std::vector<std::string>& order) {
  if (turn == Event::Turn::kNext) {
    co_await event.wait();
  } else {
    co_await event.wait_after_others();
  }
  order.push_back(std::move(name));
}

TEST(EventTurns, AGathererComesAfterWhoeverIsReadyToo) {
  SystemTime time;
  Worker worker(0, time);
  Event gatherer(worker);
  Event first(worker);
  Event second(worker);
  std::vector<std::string> order;
  TaskScope scope(worker);
  scope.spawn(note_when_set(gatherer, Event::Turn::kAfterOthers, "gatherer", order));
  scope.spawn(note_when_set(first, Event::Turn::kNext, "first", order));
  scope.spawn(note_when_set(second, Event::Turn::kNext, "second", order));
  worker.post([&] { gatherer.set(); });
  worker.post([&] { first.set(); });
  worker.post([&] { second.set(); });
  worker.post([&] { worker.post([&] { worker.stop(); }); });
  worker.run();
  EXPECT_THAT(order, ElementsAre("first", "second", "gatherer"));
}

Task<> pass_on(Event& from, Event& to) {
  co_await from.wait_after_others();
  to.set();
}

Task<> run_without_end(Worker& worker, std::vector<std::string>& order) {
  for (int round = 0; round < 3; ++round) {
    order.emplace_back("busy");
    co_await others_first(worker);
  }
}

TEST(EventTurns, WhoNeverRunsDryLetsOthersGoFirst) {
  SystemTime time;
  Worker worker(0, time);
  Event event(worker);
  std::vector<std::string> order;
  TaskScope scope(worker);
  scope.spawn(note_when_set(event, Event::Turn::kNext, "other", order));
  worker.post([&] {
    scope.spawn(run_without_end(worker, order));
    event.set();
    worker.post(
        [&] { worker.post([&] { worker.post([&] { worker.post([&] { worker.stop(); }); }); }); });
  });
  worker.run();
  EXPECT_THAT(order, ElementsAre("busy", "other", "busy", "busy"));
}

// The loop must not go to sleep in between: nothing else happens that would wake it.
TEST(EventTurns, AGathererIsWokenByAnother) {
  SystemTime time;
  Worker worker(0, time);
  Event first(worker);
  Event second(worker);
  std::vector<std::string> order;
  TaskScope scope(worker);
  scope.spawn(pass_on(first, second));
  auto end = [](Worker& loop, Event& event, std::vector<std::string>& names) -> Task<> {
    co_await event.wait_after_others();
    names.emplace_back("second");
    loop.stop();
  };
  scope.spawn(end(worker, second, order));
  worker.post([&] { first.set(); });
  worker.run();
  EXPECT_THAT(order, ElementsAre("second"));
}

}  // namespace
}  // namespace partywall::net
