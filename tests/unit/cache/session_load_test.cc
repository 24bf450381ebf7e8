#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_world.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kBusy =
    "-BUSY a script keeps the cache busy; nothing was done, try again\r\n";

class SessionLoad : public testing::Test {
 protected:
  void SetUp() override {
    world_.publish([](DirectoryData& data) {
      data.tenants[0].limits.cache_keys = 1'000'000'000;
      data.tenants[0].limits.cache_bytes = 1ULL << 50;
    });
    ask("AUTH acme 'acme secret'\r\nSET warm 1\r\n");
  }
  std::string ask(std::string_view bytes) { return world_.ask(*client_, bytes); }
  // What the shell does when the pause is over; what has been answered then.
  std::string wait_for_pause() {
    EXPECT_TRUE(client_->session->pause_end());
    if (!client_->session->pause_end()) return "";
    world_.time.advance(*client_->session->pause_end() - world_.time.monotonic());
    client_->session->resume();
    world_.settle(*client_);
    return client_->take();
  }
  void charge(Duration time, TenantId tenant = SessionWorld::acme()) {
    world_.loads.of(tenant)->time.charge(time, milliseconds(100), world_.time.monotonic());
  }
  uint64_t count(CacheMeter meter) {
    return world_.meters.value(world_.directory->find_tenant(SessionWorld::acme())->number, meter);
  }
  size_t sent(const std::string& name) {
    return static_cast<size_t>(std::ranges::count_if(
        world_.redis.log, [&](const auto& words) { return words.front() == name; }));
  }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
};

TEST_F(SessionLoad, WhoHasUsedUpItsTimeWaits) {
  charge(milliseconds(150));
  EXPECT_EQ(ask("SET a 1\r\n"), "");
  EXPECT_EQ(sent("set"), 1u);
  EXPECT_EQ(wait_for_pause(), "+OK\r\n");
  EXPECT_EQ(sent("set"), 2u);
}

TEST_F(SessionLoad, WhoOwesMoreIsRefused) {
  charge(milliseconds(250));
  EXPECT_THAT(ask("SET a 1\r\n"),
              StartsWith("-LIMIT the commands of tenant acme have taken more than 100 ms of "
                         "Redis's time in a second (cache.redis_time); try again in 1500 ms"));
  EXPECT_EQ(count(CacheMeter::kOverTime), 1u);
  world_.time.advance(milliseconds(1'500));
  EXPECT_EQ(ask("SET a 1\r\n"), "+OK\r\n");
}

TEST_F(SessionLoad, WaitingTakesNoLongerThanItMay) {
  charge(milliseconds(190));
  EXPECT_EQ(ask("SET a 1\r\n"), "");
  charge(milliseconds(100));
  EXPECT_THAT(wait_for_pause(), StartsWith("-LIMIT"));
}

TEST_F(SessionLoad, ANeighbourIsNotHeldBack) {
  charge(seconds(10));
  const auto globex = world_.connect();
  world_.ask(*globex, "AUTH globex 'globex secret'\r\n");
  EXPECT_EQ(world_.ask(*globex, "SET a 1\r\n"), "+OK\r\n");
}

TEST_F(SessionLoad, ATransactionOverTimeFailsAsAWhole) {
  ask("MULTI\r\nSET a 1\r\n");
  charge(seconds(1));
  EXPECT_THAT(ask("SET b 1\r\nEXEC\r\n"),
              testing::AllOf(StartsWith("-LIMIT"), HasSubstr("-EXECABORT")));
}

TEST_F(SessionLoad, WhatRedisIsTooBusyForIsSentAgain) {
  world_.redis.busy = true;
  EXPECT_EQ(ask("SET a 1\r\nGET a\r\n"), "");
  EXPECT_EQ(wait_for_pause(), "");
  world_.redis.busy = false;
  EXPECT_EQ(ask("GET a\r\n"), "") << "what comes later stays behind it";
  EXPECT_EQ(wait_for_pause(), "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n");
  EXPECT_EQ(sent("set"), 2u);
  EXPECT_EQ(count(CacheMeter::kSentAgain), 4u);
}

TEST_F(SessionLoad, OnlyWhatIsNotAnsweredIsSentAgain) {
  client_->send("SET a 1\r\n");
  world_.redis.connections.back()->take_requests(SIZE_MAX);
  world_.redis.busy = true;
  EXPECT_EQ(ask("GET a\r\n"), "+OK\r\n");
  world_.redis.busy = false;
  EXPECT_EQ(wait_for_pause(), "$1\r\n1\r\n");
  EXPECT_EQ(sent("set"), 2u);
}

// The second one was carried out: were the first one sent again, they would change places.
TEST_F(SessionLoad, TheOrderOfRequestsIsKept) {
  client_->send("SET a 1\r\n");
  world_.redis.busy = true;
  world_.redis.connections.back()->take_requests(SIZE_MAX);
  world_.redis.busy = false;
  EXPECT_EQ(ask("SET a 2\r\n"), std::string(kBusy) + "+OK\r\n");
  EXPECT_EQ(world_.redis.databases[1]["a"], "2");
}

TEST_F(SessionLoad, ItIsNotSentAgainForEver) {
  world_.redis.busy = true;
  std::string answer = ask("SET a 1\r\n");
  for (int i = 0; i < 200 && answer.empty(); ++i) answer = wait_for_pause();
  EXPECT_EQ(answer, kBusy);
  EXPECT_EQ(sent("set"), 1u);
  world_.redis.busy = false;
  EXPECT_EQ(ask("SET a 1\r\n"), "+OK\r\n");
}

TEST_F(SessionLoad, AConnectionThatIsLostMeanwhileMeansThatNothingWasDone) {
  world_.redis.busy = true;
  ask("SET a 1\r\n");
  world_.redis.connections.back()->break_connection();
  EXPECT_EQ(wait_for_pause(), kBusy);
}

TEST_F(SessionLoad, ABlockingCommandIsSentAgainOnItsConnection) {
  ask("MULTI\r\nEXEC\r\n");  // there is one
  world_.redis.busy = true;
  EXPECT_EQ(ask("BLPOP q 0\r\n"), "");
  world_.redis.busy = false;
  EXPECT_EQ(wait_for_pause(), "");
  ASSERT_TRUE(world_.redis.connections.back()->blocked());
  world_.redis.connections.back()->unblock("x");
  EXPECT_EQ(ask(""), "*2\r\n$1\r\nq\r\n$1\r\nx\r\n");
}

TEST_F(SessionLoad, AQuestionAboutTheQuotaIsAskedAgain) {
  world_.publish([](DirectoryData& data) { data.tenants[0].limits.cache_keys = 5; });
  world_.redis.busy = true;
  EXPECT_EQ(ask("SET a 1\r\nGET a\r\n"), "");
  EXPECT_EQ(wait_for_pause(), "");
  world_.redis.busy = false;
  EXPECT_EQ(wait_for_pause(), "+OK\r\n$1\r\n1\r\n");
  world_.publish([](DirectoryData& data) { data.tenants[0].limits.cache_keys = 3; });
  world_.redis.busy = true;
  std::string answer = ask("MSET b 1 c 1\r\n");
  for (int i = 0; i < 200 && answer.empty(); ++i) answer = wait_for_pause();
  EXPECT_EQ(answer, kBusy);
}

// Redis takes the logins meanwhile, but not the SELECT between them.
TEST_F(SessionLoad, AConnectionIsOpenedWhenRedisIsNoLongerBusy) {
  const auto globex = world_.connect();
  world_.redis.busy = true;
  globex->send("AUTH globex 'globex secret'\r\nGET a\r\n");
  FakeRedis::Connection& opening = *world_.redis.connections.back();
  for (int i = 0; i < 3; ++i) {
    opening.take_requests(SIZE_MAX);
    opening.deliver(SIZE_MAX);
    EXPECT_FALSE(opening.upstream().ready());
    EXPECT_FALSE(opening.upstream().must_close());
  }
  world_.redis.busy = false;
  EXPECT_EQ(world_.ask(*globex, ""), "+OK\r\n$-1\r\n");
  EXPECT_EQ(opening.database(), 2);
}

TEST_F(SessionLoad, ATransactionIsNotBegunAnew) {
  ask("MULTI\r\n");
  world_.redis.busy = true;
  EXPECT_EQ(ask("SET a 1\r\n"), kBusy);
}

TEST_F(SessionLoad, AClientThatLeavesMeanwhileIsForgotten) {
  world_.redis.busy = true;
  ask("SET a 1\r\n");
  client_.reset();
  world_.redis.busy = false;
  world_.redis.run();
  EXPECT_EQ(sent("set"), 1u);
}

TEST_F(SessionLoad, WhoHasUsedMuchGoesOneByOne) {
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  charge(milliseconds(60));
  client_->send("GET a\r\n");
  other->send("GET b\r\n");
  EXPECT_EQ(count(CacheMeter::kQueued), 1u);
  EXPECT_EQ(ask(""), "$-1\r\n");
  EXPECT_EQ(world_.ask(*other, ""), "$-1\r\n");
  EXPECT_EQ(ask("GET a\r\nGET a\r\nGET a\r\n"), "$-1\r\n$-1\r\n$-1\r\n");
}

TEST_F(SessionLoad, SoManyThatMayTakeLongAreUnderWay) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "SORT l\r\n";
  client_->send(many);
  EXPECT_EQ(count(CacheMeter::kQueued), 1u);
  EXPECT_EQ(std::ranges::count(ask(""), '\r'), 80);
  EXPECT_EQ(sent("sort"), 40u);
}

TEST_F(SessionLoad, WhatWaitsForItsTurnLeavesWithItsClient) {
  charge(milliseconds(60));
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  client_->send("GET a\r\n");
  auto third = world_.connect();
  world_.ask(*third, "AUTH acme 'acme secret'\r\n");
  third->send("GET c\r\n");
  other->send("GET b\r\n");
  third.reset();
  EXPECT_EQ(ask(""), "$-1\r\n");
  EXPECT_EQ(world_.ask(*other, ""), "$-1\r\n");
}

TEST_F(SessionLoad, AScriptIsUnderWayUntilItIsAnswered) {
  const auto scripts = [&] {
    return world_.scripts_under_way.at({"127.0.0.1", 6379}, world_.time.monotonic());
  };
  client_->send("EVAL x 0\r\n");
  ASSERT_EQ(scripts().size(), 1u);
  EXPECT_EQ(scripts().front().tenant, SessionWorld::acme());
  ask("");
  EXPECT_EQ(scripts().size(), 0u);
  ask("MULTI\r\nEVAL x 0\r\n");
  EXPECT_EQ(scripts().size(), 0u);
  client_->send("EXEC\r\n");
  EXPECT_EQ(scripts().size(), 1u);
  ask("");
  EXPECT_EQ(scripts().size(), 0u);
}

}  // namespace
}  // namespace partywall::cache
