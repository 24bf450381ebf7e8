// The scripts of the limits store, in a real Redis, against their models: after each of many random
// calls both have answered the same.
#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "cluster/limit_calls.h"
#include "integration/redis_server.h"

namespace partywall::test {
namespace {

constexpr int kSteps = 2'000;
constexpr RateLimit kLimits[] = {{100, minutes(1), 10},
                                 {1'000, minutes(1), 50},
                                 {7, seconds(1), 3},
                                 {100'000, seconds(1), 100'000}};

class LimitScripts : public testing::Test {
 protected:
  void SetUp() override {
    connection_ = server_.connect();
    ASSERT_TRUE(connection_) << "no redis-server";
    for (const LimitScript script : kLimitScripts) {
      const auto loaded = run({"SCRIPT", "LOAD", std::string(text_of(script))});
      digests_[static_cast<size_t>(script)] = loaded.text;
    }
  }

  redis::Reply run(const std::vector<std::string>& words) {
    const auto reply = connection_->command(words);
    if (!reply) throw std::runtime_error(reply.error().message);
    return *reply;
  }

  uint32_t below(uint32_t bound) { return random_() % bound; }
  std::string any_node() { return "node-" + std::to_string(below(4)); }
  // Some time has to pass in Redis, whose clock cannot be set.
  void pass_time() {
    if (below(20) == 0) std::this_thread::sleep_for(milliseconds(below(30)));
  }

  RedisServer server_;
  std::optional<redis::Connection> connection_;
  ScriptDigests digests_;
  std::mt19937 random_{17};
  const TenantId tenant_{Uuid::from_halves(1, 2)};
};

TEST_F(LimitScripts, RatesAreLikeTheModel) {
  for (const RateLimit& limit : kLimits) {
    run({"FLUSHALL"});
    RateLedger model;
    uint64_t sequence = 0;
    for (int step = 0; step < kSteps / 4; ++step) {
      RateLedger::Call call{.node = any_node(),
                            .sequence = below(10) == 0 ? sequence : ++sequence,
                            .held = below(5),
                            .returned = below(4),
                            .wanted = below(2 * limit.burst),
                            // Longer than it takes, so that the key is not forgotten in between.
                            .lent_for_us = 20'000 + below(300'000)};
      const LeaseBook::Call whole{
          .what = {.id = tenant_, .kind = LimitKind::kHttpRate, .rate = limit}, .call = call};
      const redis::Reply reply = run(limit_request(whole, digests_));
      const auto answer = rate_answer(reply);
      ASSERT_TRUE(answer) << to_string(reply);
      ASSERT_EQ(answer->answer, model.call(limit, call, answer->now_us))
          << "step " << step << " of " << limit.tokens;
      pass_time();
    }
  }
}

TEST_F(LimitScripts, AnEpochIsLikeTheModel) {
  const RateLimit limit = kLimits[1];
  RateLedger model;
  uint64_t sequence = 0;
  int64_t epoch_us = 0;
  for (int step = 0; step < kSteps / 4; ++step) {
    RateLedger::Call call{.node = any_node(),
                          .sequence = ++sequence,
                          .held = below(3),
                          .wanted = below(20),
                          .epoch_us = epoch_us,
                          .deposit = below(3)};
    const LeaseBook::Call whole{
        .what = {.id = tenant_, .kind = LimitKind::kCacheRate, .rate = limit}, .call = call};
    const auto answer = rate_answer(run(limit_request(whole, digests_)));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->answer, model.call(limit, call, answer->now_us)) << "step " << step;
    if (below(30) == 0) epoch_us = answer->now_us + below(50'000);
    pass_time();
  }
}

TEST_F(LimitScripts, SlotsAreLikeTheModel) {
  SlotLedger model;
  uint64_t sequence = 0;
  for (int step = 0; step < kSteps; ++step) {
    const uint32_t limit = below(40) == 0 ? 3 : 8;
    SlotLedger::Call call{.node = any_node(),
                          .sequence = below(10) == 0 ? sequence : ++sequence,
                          .in_use = below(3),
                          .wanted = below(6)};
    const LeaseBook::Call whole{
        .what = {.id = tenant_, .kind = LimitKind::kSqlConnections, .slots = limit}, .call = call};
    const auto answer = slot_answer(run(limit_request(whole, digests_)));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->answer, model.call(limit, call, answer->now_us)) << "step " << step;
  }
}

TEST_F(LimitScripts, NodesAreLikeTheModel) {
  NodeLedger model;
  for (int step = 0; step < kSteps / 2; ++step) {
    const NodeLedger::Call call{.node = any_node(),
                                .state = static_cast<NodeLedger::State>(below(3)),
                                .away_us = below(200'000)};
    const auto answer = node_answer(run(node_request(call, digests_)));
    ASSERT_TRUE(answer);
    ASSERT_EQ(*answer, model.call(call, answer->now_us)) << "step " << step;
    pass_time();
  }
}

TEST(LimitKey, HoldsTheIdentityOfTheTenantAndNothingElse) {
  EXPECT_EQ(limit_key(TenantId(Uuid::from_halves(0x0123456789abcdef, 0xfedcba9876543210)),
                      LimitKind::kCacheRate),
            "partywall:limits:cache_rate:01234567-89ab-cdef-fedc-ba9876543210");
}

}  // namespace
}  // namespace partywall::test
