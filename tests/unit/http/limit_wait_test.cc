// Requests that have to wait for the limits store.
#include <gmock/gmock.h>

#include "http/door_fixture.h"
#include "support/fake_limit_store.h"

namespace partywall::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LimitWait : public test::DoorFixture {
 protected:
  LimitWait() {
    make_desk = [this] { return store.desk; };
    restart_door();
  }
  // First for slots, then for tokens.
  void answer(uint32_t lent) {
    store.answer(lent, loop.now());
    settle();
  }

  partywall::test::FakeLimitStore store{states};
};

TEST_F(LimitWait, ARequestWaitsForTheAnswerAndIsTakenOnce) {
  auto& client = connect();
  client.send("POST /api/x HTTP/1.1\r\nHost: shop.test\r\n" + bearer("acme") +
              "Content-Length: 4\r\n\r\nbody" + get("/api/second", "acme"));
  settle();
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(app1.requests.size() + app2.requests.size(), 0U);
  answer(5);
  EXPECT_EQ(client.take(), "");
  answer(5);
  const std::string answers = client.take();
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answers, HasSubstr("ok"
                                 "HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(app1.requests.size() + app2.requests.size(), 2U);
}

TEST_F(LimitWait, ARefusalSaysWhenToTryAgain) {
  auto& client = connect();
  client.send(get("/api/x", "acme"));
  settle();
  answer(5);
  answer(0);
  const std::string refused = client.take();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\nRateLimit: \"api\";r=0;t=1\r\n"));
  EXPECT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 0U);
}

TEST_F(LimitWait, OneTenantsWaitDoesNotHoldUpAnother) {
  auto& waiting = connect();
  waiting.send(get("/api/x", "acme"));
  settle();
  ASSERT_EQ(store.asks.size(), 1U);
  const auto held_back = std::exchange(store.asks, {});
  auto& other = connect();
  other.send(get("/api/y", "globex"));
  settle();
  answer(5);
  answer(5);
  EXPECT_THAT(other.take(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(waiting.take(), "");
  store.asks = held_back;
  answer(5);
  answer(5);
  EXPECT_THAT(waiting.take(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(LimitWait, AClientThatLeavesMeanwhileLeavesNothingBehind) {
  auto& client = connect();
  client.send(get("/api/x", "acme"));
  settle();
  client.stream->close();
  answer(5);
  answer(5);
  EXPECT_EQ(door->sessions(), 0U);
  EXPECT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 0U);
  EXPECT_EQ(states.of(data.tenants[0].number).http_rate.signals.waiting, 0U);
}

TEST_F(LimitWait, WithoutTheStoreNobodyWaits) {
  store.shared.set_source(SharedLimits::Source::kShare, loop.now());
  EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 429 "));
}

}  // namespace
}  // namespace partywall::http
