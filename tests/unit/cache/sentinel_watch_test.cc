#include "cache/sentinel_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/route_world.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHello = "%1\r\n+proto\r\n:3\r\n";
constexpr std::string_view kSubscribed = ">3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n";

std::string primary_is(std::string_view port) {
  std::string out;
  append_array_header(out, 2);
  append_bulk(out, "127.0.0.1");
  append_bulk(out, port);
  return out;
}

std::string switched(std::string_view name, std::string_view port) {
  std::string out = ">3\r\n";
  append_bulk(out, "message");
  append_bulk(out, "+switch-master");
  append_bulk(out, std::string(name) + " 127.0.0.1 6379 127.0.0.1 " + std::string(port));
  return out;
}

class Sentinels : public testing::Test {
 protected:
  ScriptedNetwork::Connection& last() { return network_.opened.back(); }
  void tick(Duration after = kRouteTick) { watch_->tick(now_ += after); }
  void begin() {
    tick();
    last().take();
    last().say(std::string(kHello) + std::string(kSubscribed) + primary_is("6379"));
  }
  [[nodiscard]] Endpoint primary() const { return route_.find(0).value_or(Endpoint()); }

  RouteWatchTimes times_;
  ScriptedNetwork network_;
  CacheRoute route_{cell_with(sentinel_instance()), sentinel_instance()};
  std::unique_ptr<RouteWatch> watch_ = watch_route(route_, network_, times_);
  MonotonicTime now_ = MonotonicTime() + hours(1);
};

TEST_F(Sentinels, NothingIsKnownBeforeOneHasAnswered) {
  EXPECT_FALSE(route_.find(0));
  tick();
  EXPECT_EQ(last().endpoint, at(26379));
  EXPECT_THAT(last().take(), testing::AllOf(HasSubstr("HELLO"), HasSubstr("+switch-master"),
                                            HasSubstr("GET-MASTER-ADDR-BY-NAME")));
  EXPECT_FALSE(route_.find(0));
  last().say_slowly(std::string(kHello) + std::string(kSubscribed) + primary_is("6379"));
  EXPECT_EQ(primary(), at(6379));
  EXPECT_EQ(route_.version(), 1u);
}

TEST_F(Sentinels, AMessageMovesTheRouteAtOnce) {
  begin();
  last().say(switched("other", "6390"));
  EXPECT_EQ(primary(), at(6379));
  last().say(switched("main", "6380"));
  EXPECT_EQ(primary(), at(6380));
  EXPECT_EQ(route_.version(), 2u);
}

TEST_F(Sentinels, AsksAgainAndSoonerUnderSuspicion) {
  begin();
  tick(times_.suspicious_interval);
  EXPECT_EQ(last().take(), "");
  route_.suspect();
  tick();
  EXPECT_THAT(last().take(), HasSubstr("GET-MASTER-ADDR"));
  last().say(primary_is("6379"));
  EXPECT_FALSE(route_.suspected());
  tick(times_.ask_interval);
  EXPECT_THAT(last().take(), HasSubstr("GET-MASTER-ADDR"));
}

TEST_F(Sentinels, TheNextOneIsAskedWhenOneIsSilentOrGoneOrDoesNotKnow) {
  begin();
  tick(times_.ask_interval);
  tick(times_.answer_timeout);
  EXPECT_TRUE(network_.opened[0].upstream->must_close());
  tick(times_.backoff.longest);
  ASSERT_EQ(network_.opened.size(), 2u);
  EXPECT_EQ(last().endpoint, at(26380));
  last().upstream->lost();
  tick(times_.backoff.longest);
  ASSERT_EQ(network_.opened.size(), 3u);
  EXPECT_EQ(last().endpoint, at(26379));
  last().say(std::string(kHello) + std::string(kSubscribed) + "_\r\n");
  EXPECT_TRUE(last().upstream->must_close());
  tick(times_.backoff.longest);
  ASSERT_EQ(network_.opened.size(), 4u);
  // Meanwhile what was known counts.
  EXPECT_EQ(primary(), at(6379));
}

TEST_F(Sentinels, OneThatIsCutOffFromTheOthersIsLeft) {
  begin();
  for (int i = 0; i < 20 && network_.opened.size() == 1; ++i) {
    route_.suspect();
    tick(times_.ask_interval);
    if (!last().take().empty()) last().say(primary_is("6379"));
  }
  ASSERT_EQ(network_.opened.size(), 2u);
  EXPECT_EQ(last().endpoint, at(26380));
}

TEST_F(Sentinels, WhatIsNotAnAddressIsNotTaken) {
  begin();
  for (const char* port : {"0", "65536", "x", ""}) {
    last().say(switched("main", port));
    EXPECT_EQ(primary(), at(6379)) << port;
  }
  std::string name;
  append_array_header(name, 2);
  append_bulk(name, "redis.example.com");
  append_bulk(name, "6379");
  last().say(name);
  EXPECT_TRUE(last().upstream->must_close());
  EXPECT_EQ(primary(), at(6379));
}

TEST_F(Sentinels, GarbageEndsTheConnectionAndNothingElse) {
  begin();
  last().say("garbage\r\n");
  EXPECT_TRUE(last().upstream->must_close());
  EXPECT_EQ(primary(), at(6379));
  tick(times_.backoff.longest);
  EXPECT_EQ(network_.opened.size(), 2u);
}

// A failure at every step: refused, or cut after each byte of the dialogue. The next attempt works.
TEST_F(Sentinels, RecoverFromAFailureAtAnyByte) {
  const std::string dialogue = std::string(kHello) + std::string(kSubscribed) + primary_is("6379");
  for (size_t cut = 0; cut <= dialogue.size(); ++cut) {
    CacheRoute route(cell_with(sentinel_instance()), sentinel_instance());
    ScriptedNetwork network;
    const auto watch = watch_route(route, network, times_);
    network.refuse = cut == 0;
    watch->tick(now_);
    if (cut > 0) {
      network.opened.back().say(dialogue.substr(0, cut - 1));
      network.opened.back().upstream->lost();
    }
    network.refuse = false;
    watch->tick(now_ += times_.backoff.longest);
    ASSERT_EQ(network.opened.size(), 2u) << cut;
    network.opened.back().say(dialogue);
    EXPECT_EQ(route.find(0).value_or(Endpoint()), at(6379)) << cut;
    now_ += seconds(1);
  }
}

}  // namespace
}  // namespace partywall::cache
