#include "cache/cluster_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/route_world.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;

std::string nodes(std::string_view boundary) {
  std::string out;
  append_bulk(out, fmt::format("a 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-{0}\n"
                               "b 127.0.0.1:7001@17001 master - 0 0 2 connected 8000-16383\n"
                               "c 127.0.0.1:7002@17002 slave a 0 0 1 connected\n",
                               boundary));
  return out;
}

class ClusterRoute : public testing::Test {
 protected:
  ScriptedNetwork::Connection& last() { return network_.opened.back(); }
  void tick(Duration after = kRouteTick) { watch_->tick(now_ += after); }

  RouteWatchTimes times_;
  ScriptedNetwork network_;
  CacheRoute route_{cell_with(cluster_instance()), cluster_instance()};
  std::unique_ptr<RouteWatch> watch_ = watch_route(route_, network_, times_);
  MonotonicTime now_ = MonotonicTime() + hours(1);
};

TEST_F(ClusterRoute, LeadsToTheNodeOfTheSlot) {
  EXPECT_FALSE(route_.find(1));
  tick();
  EXPECT_THAT(last().take(), testing::AllOf(HasSubstr("AUTH"), HasSubstr("NODES")));
  last().say("+OK\r\n" + nodes("7999"));
  EXPECT_EQ(route_.find(1).value(), at(7000));
  EXPECT_EQ(route_.find(8000).value(), at(7001));
  EXPECT_EQ(route_.version(), 1u);
  tick(times_.refresh_interval);
  last().say(nodes("7999"));
  EXPECT_EQ(route_.version(), 1u);  // nothing has changed
}

TEST_F(ClusterRoute, IsRefreshedAfterASuspicionButNotMoreOftenThanAllowed) {
  tick();
  last().say("+OK\r\n" + nodes("7999"));
  last().take();
  int questions = 0;
  for (int i = 0; i < 100; ++i) {
    route_.suspect();
    tick(milliseconds(10));
    if (last().take().empty()) continue;
    ++questions;
    last().say(nodes("7999"));
  }
  EXPECT_EQ(questions, 5);  // in a second
}

TEST_F(ClusterRoute, SlotsWithoutANodeAreUnavailable) {
  tick();
  last().say("+OK\r\n" + nodes("100"));
  EXPECT_TRUE(route_.find(100));
  ASSERT_FALSE(route_.find(101));
  EXPECT_EQ(route_.find(101).error().kind, ErrorKind::kUnavailable);
}

TEST_F(ClusterRoute, AsksNodesThatItWasToldOfWhenTheOthersAreGone) {
  tick();
  last().say("+OK\r\n" + nodes("7999"));
  std::vector<Endpoint> asked;
  for (int i = 0; i < 3; ++i) {
    last().upstream->lost();
    tick(times_.backoff.longest);
    asked.push_back(last().endpoint);
  }
  EXPECT_THAT(asked, testing::ElementsAre(at(7001), at(7002), at(7000)));
}

TEST_F(ClusterRoute, WhatIsNoClusterChangesNothing) {
  tick();
  last().say("+OK\r\n-ERR This instance has cluster support disabled\r\n");
  EXPECT_TRUE(last().upstream->must_close());
  EXPECT_FALSE(route_.find(0));
}

}  // namespace
}  // namespace partywall::cache
