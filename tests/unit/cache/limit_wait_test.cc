// Commands that have to wait for the limits store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_world.h"
#include "support/fake_limit_store.h"

namespace partywall::cache {
namespace {

using testing::StartsWith;

class LimitWait : public testing::Test {
 protected:
  std::string ask(std::string_view bytes) { return world_.ask(*client_, bytes); }
  std::string answer(uint32_t lent) {
    store_.answer(lent, world_.time.monotonic());
    return ask("");
  }

  SessionWorld world_;
  partywall::test::FakeLimitStore store_{world_.states};
  SessionHost host_{.limits = world_.limits,
                    .time = world_.time,
                    .limits_desk = *store_.desk,
                    .upstreams = world_.registry,
                    .meters = world_.meters,
                    .random = world_.random,
                    .seats = world_.seats,
                    .clients = world_.client_register,
                    .scripts = world_.scripts,
                    .slow_log = world_.slow_log,
                    .quotas = world_.quotas,
                    .loads = world_.loads,
                    .scripts_under_way = world_.scripts_under_way,
                    .directory = world_.directory};
  std::unique_ptr<FakeClient> client_ = std::make_unique<FakeClient>(host_, 77);
};

TEST_F(LimitWait, ACommandWaitsForTheAnswerAndIsSentOnce) {
  ask("AUTH acme 'acme secret'\r\n");
  EXPECT_EQ(ask("GET a\r\nGET a\r\n"), "");
  EXPECT_EQ(answer(1), "$-1\r\n");
  EXPECT_EQ(answer(1), "$-1\r\n");
}

TEST_F(LimitWait, ARefusalIsALimit) {
  ask("AUTH acme 'acme secret'\r\n");
  EXPECT_EQ(ask("MULTI\r\n"), "");
  EXPECT_THAT(answer(0), StartsWith("-LIMIT"));
}

TEST_F(LimitWait, AClientMayLeaveMeanwhile) {
  ask("AUTH acme 'acme secret'\r\n");
  ask("GET a\r\n");
  client_.reset();
  store_.answer(1, world_.time.monotonic());
}

}  // namespace
}  // namespace partywall::cache
