#include "cluster/limit_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LimitSessionTest : public testing::Test {
 protected:
  std::string sent() {
    std::string out(session.output());
    session.sent(out.size());
    return out;
  }
  void receive(std::string_view bytes) { session.receive(bytes, now); }
  // Logs in, loads the scripts, and hears that the node is alone.
  void open() {
    receive("+OK\r\n$3\r\naaa\r\n$3\r\nbbb\r\n$3\r\nccc\r\n");
    sent();
    session.run(now);
    EXPECT_THAT(sent(), HasSubstr("EVALSHA\r\n$3\r\nccc"));
    receive(kTwoNodes);
    session.run(now);
    EXPECT_THAT(sent(), HasSubstr("EVALSHA\r\n$3\r\nccc"));  // it is served now
    receive(kTwoNodes);
  }

  static constexpr std::string_view kTwoNodes = "*3\r\n:1000\r\n:2\r\n:0\r\n";

  MonotonicTime now{hours(1)};
  TenantStates states;
  SharedLimits shared{1, now};
  LeaseBook book{"node", states, shared};
  StoreReturn comeback{"node"};
  LimitSession session{
      {.user = "nodes", .password = Secret("secret")}, book, comeback, shared, now};
  LimitAsk limit{.number = TenantNumber(1),
                 .id = TenantId(Uuid::from_halves(1, 1)),
                 .kind = LimitKind::kHttpRate,
                 .rate = {100, minutes(1), 10}};
};

TEST_F(LimitSessionTest, LogsInAndLoadsItsScriptsFirst) {
  EXPECT_THAT(sent(),
              StartsWith("*3\r\n$4\r\nAUTH\r\n$5\r\nnodes\r\n$6\r\nsecret\r\n*3\r\n$6\r\nSCRIPT"));
  session.run(now);
  EXPECT_EQ(session.output(), "");
  open();
  EXPECT_EQ(shared.source(), SharedLimits::Source::kStore);
  EXPECT_EQ(shared.live_nodes(), 2U);
}

TEST_F(LimitSessionTest, AnswersComeInAnyPieces) {
  open();
  book.ask(limit, now);
  session.run(now);
  EXPECT_THAT(sent(), HasSubstr("EVALSHA\r\n$3\r\naaa\r\n$1\r\n1\r\n"));
  for (const char byte : std::string("*5\r\n:1000\r\n:1\r\n:9\r\n:0\r\n:600000\r\n")) {
    EXPECT_EQ(states.of(limit.number).http_rate.tokens(), 0);
    receive({&byte, 1});
  }
  EXPECT_EQ(states.of(limit.number).http_rate.tokens(), 1);
}

TEST_F(LimitSessionTest, ARefusedLoginIsAFailure) {
  receive("-WRONGPASS invalid username-password pair\r\n");
  ASSERT_TRUE(session.failure());
  EXPECT_THAT(session.failure()->message, HasSubstr("WRONGPASS"));
}

TEST_F(LimitSessionTest, ScriptsThatWereFlushedAreLoadedAgain) {
  open();
  book.ask(limit, now);
  session.run(now);
  sent();
  receive("-NOSCRIPT No matching script.\r\n");
  EXPECT_FALSE(session.failure());
  EXPECT_THAT(sent(), HasSubstr("SCRIPT\r\n$4\r\nLOAD"));
}

TEST_F(LimitSessionTest, AStoreThatDoesNotAnswerInTimeIsAway) {
  open();
  book.ask(limit, now);
  session.run(now);
  now += milliseconds(250);
  session.run(now);
  ASSERT_TRUE(session.failure());
  EXPECT_EQ(session.failure()->kind, ErrorKind::kTimeout);
  session.closed(now);
  EXPECT_EQ(shared.source(), SharedLimits::Source::kShare);
}

TEST_F(LimitSessionTest, WhatWasNotAskedOrIsNoAnswerIsAFailure) {
  for (const std::string_view bytes : {"*3\r\n:1\r\n:2\r\n:3\r\n", "hello\r\n", "-READONLY\r\n"}) {
    LimitSession other({.user = "", .password = {}}, book, comeback, shared, now);
    other.receive("$3\r\naaa\r\n$3\r\nbbb\r\n$3\r\nccc\r\n", now);
    EXPECT_FALSE(other.failure());
    other.receive(bytes, now);
    EXPECT_TRUE(other.failure()) << bytes;
    other.closed(now);
  }
}

}  // namespace
}  // namespace partywall
