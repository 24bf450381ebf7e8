// What a tenant's connections do when another server takes over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/route_world.h"
#include "cache/tenant_upstreams.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kOk = "+OK\r\n";
const std::string kMaster = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
const std::string kSlave =
    "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";

struct Subscribed final : SubscriberSink {
  void deliver(const PushFrame&) override {}
  void subscriber_lost() override { ++losses; }
  [[nodiscard]] bool congested() const override { return false; }
  int losses = 0;
};

class Takeover : public testing::Test {
 protected:
  Takeover() { route_->set_primary(at(6379)); }

  ScriptedNetwork::Connection& last() { return network_.opened.back(); }
  // Seven answers: AUTH, CLIENT ID, two of INFO, ROLE, SELECT, AUTH.
  static void let_in(ScriptedNetwork::Connection& connection, const std::string& role = kMaster) {
    connection.take();
    connection.say(kOk + kOk + kOk + kOk + role + kOk + kOk);
  }
  std::shared_ptr<UpstreamFsm> open_shared() {
    auto upstream = upstreams_->shared(now_).value();
    let_in(last());
    return upstream;
  }
  void take_over(uint16_t port) {
    route_->set_primary(at(port));
    upstreams_->route_changed(now_);
  }

  UpstreamLimits limits_;
  ScriptedNetwork network_;
  MonotonicTime now_ = MonotonicTime() + hours(1);
  std::shared_ptr<CacheRoute> route_ =
      std::make_shared<CacheRoute>(cell_with(sentinel_instance()), sentinel_instance());
  std::shared_ptr<TenantUpstreams> upstreams_ = std::make_shared<TenantUpstreams>(
      UpstreamTarget{.tenant = TenantId(Uuid::from_halves(1, 1)), .route = route_, .database = 1},
      limits_, network_);
  RecordingSink sink_;
};

TEST_F(Takeover, RequestsGoToTheNewServerAndOldAnswersStillArrive) {
  const auto old = open_shared();
  old->send(sink_, make_request({"INCR", "a"}), 1);
  ScriptedNetwork::Connection& old_server = last();
  take_over(6380);
  EXPECT_FALSE(old->usable());
  const auto now = upstreams_->shared(now_).value();
  EXPECT_NE(now, old);
  EXPECT_EQ(last().endpoint, at(6380));
  old_server.say(":1\r\n");
  EXPECT_EQ(sink_.take(), ":1\r\n");
  EXPECT_TRUE(old->must_close());
  EXPECT_THAT(sink_.losses, ElementsAre());
}

TEST_F(Takeover, AServerThatHangsGetsItsTimeOfGraceAndNoMore) {
  open_shared()->send(sink_, make_request({"INCR", "a"}), 1);
  take_over(6380);
  upstreams_->end_overdue(now_ + limits_.takeover_grace - milliseconds(1));
  EXPECT_THAT(sink_.losses, ElementsAre());
  upstreams_->end_overdue(now_ + limits_.takeover_grace);
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kUnknownOutcome));
  EXPECT_TRUE(network_.opened[0].upstream->must_close());
}

TEST_F(Takeover, WhatHasNotBeenSentIsNotLeftOpen) {
  const auto upstream = upstreams_->shared(now_).value();
  upstream->send(sink_, make_request({"INCR", "a"}), 1);
  network_.opened[0].take();
  take_over(6380);
  upstreams_->end_overdue(now_ + limits_.takeover_grace);
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kNeverSent));
}

TEST_F(Takeover, WhatIsBoundToTheOldServerEnds) {
  const auto taken = upstreams_->take(now_).value();
  let_in(last());
  taken->send(sink_, make_request({"BLPOP", "a", "0"}), 1);
  Subscribed subscribed;
  const auto subscriber = upstreams_->open_subscriber(subscribed, ChannelNames(), now_).value();
  take_over(6380);
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kUnknownOutcome));
  EXPECT_EQ(subscribed.losses, 1);
  upstreams_->subscriber_ended();
  upstreams_->give_back(taken, Returned::kUnclear, now_);
  upstreams_->sweep(now_);
  EXPECT_TRUE(upstreams_->empty());
}

TEST_F(Takeover, NothingEndsWhereTheServerStaysTheSame) {
  const auto shared = open_shared();
  const auto taken = upstreams_->take(now_).value();
  let_in(last());
  take_over(6379);
  EXPECT_TRUE(shared->usable() && taken->usable());
  EXPECT_EQ(upstreams_->shared(now_).value(), shared);
  upstreams_->give_back(taken, Returned::kClean, now_);
  EXPECT_EQ(upstreams_->take(now_).value(), taken);
  upstreams_->give_back(taken, Returned::kClean, now_);
}

TEST_F(Takeover, AReplicaIsNotTakenForThePrimary) {
  const auto upstream = upstreams_->shared(now_).value();
  upstream->send(sink_, make_request({"SET", "a", "1"}), 1);
  EXPECT_THAT(std::string(upstream->output()), HasSubstr("ROLE"));
  let_in(last(), kSlave);
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kNeverSent));
  EXPECT_TRUE(route_->suspected());
}

TEST_F(Takeover, TriesAgainLaterEachTime) {
  network_.refuse = true;
  std::vector<Duration> pauses;
  MonotonicTime last_attempt = now_;
  for (int i = 0; i < 3000 && pauses.size() < 6; ++i) {
    const size_t before = network_.opened.size();
    EXPECT_FALSE(upstreams_->shared(now_));
    if (network_.opened.size() > before && before > 0) pauses.push_back(now_ - last_attempt);
    if (network_.opened.size() > before) last_attempt = now_;
    now_ += milliseconds(100);
  }
  EXPECT_THAT(pauses, ElementsAre(milliseconds(200), milliseconds(400), milliseconds(800),
                                  milliseconds(1600), milliseconds(3200), seconds(5)));
  EXPECT_TRUE(route_->suspected());
  // Another server has not failed yet.
  take_over(6380);
  network_.refuse = false;
  EXPECT_TRUE(upstreams_->shared(now_));
}

TEST_F(Takeover, ARefusedLoginIsReportedAsThat) {
  const auto upstream = upstreams_->shared(now_).value();
  last().take();
  last().say("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  const auto refusal = route_->take_login_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->server, at(6379));
  EXPECT_THAT(refusal->problem, HasSubstr("WRONGPASS"));
  EXPECT_FALSE(route_->take_login_refusal());
}

}  // namespace
}  // namespace partywall::cache
