#include "sql/server/server_fsm.h"

#include <gtest/gtest.h>

#include "sql/messages.h"
#include "sql/session_harness.h"
#include "sql/wire/message.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {
namespace {

using namespace testing;
using EventKind = ServerFsm::EventKind;

std::string drain(Outbox& outbox) {
  std::string all(outbox.front());
  outbox.sent(all.size());
  return all;
}

std::string ready(char status) {
  std::string out;
  append_ready_for_query(out, static_cast<TransactionStatus>(status));
  return out;
}
std::string complete(std::string_view tag) {
  std::string out;
  append_command_complete(out, tag);
  return out;
}
std::string error(std::string_view sqlstate) {
  std::string out;
  append_error(out, {sqlstate, "from the server", ""});
  return out;
}

class ServerFsmTest : public ::testing::Test {
 protected:
  // The kinds of the events that the bytes give.
  std::vector<EventKind> feed(std::string_view bytes) {
    std::vector<EventKind> kinds;
    while (true) {
      const auto event = fsm_.next(bytes);
      if (event.kind == EventKind::kNeedMore) break;
      kinds.push_back(event.kind);
      if (event.kind == EventKind::kBroken) break;
    }
    return kinds;
  }
  void enter() {
    fsm_.send_enter(out_, tenant_id(1), "token");
    drain(out_);
    feed(message('V', std::string(4, '\0')) + ready('I'));
  }
  [[nodiscard]] TenancyState state() const { return fsm_.tenancy().state(); }

  SeededRandom random_{1};
  ServerFsm fsm_{ServerInfo{.key = {1, 2},
                            .enter_oid = 0x01020304,
                            .statement_names_are_private = true,
                            .reported = {}},
                 random_, 4};
  Outbox out_;
};

TEST_F(ServerFsmTest, EnterIsAFunctionCallWithOneBinaryArgument) {
  fsm_.send_enter(out_, tenant_id(1), "token");
  std::string sent = drain(out_);
  const auto messages = take_messages(sent);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].type, 'F');
  EXPECT_EQ(messages[0].body, std::string("\1\2\3\4\0\1\0\1\0\1\0\0\0\5token\0\0", 21));
  EXPECT_EQ(state(), TenancyState::kEntering);
  EXPECT_EQ(feed(message('V', std::string(4, '\0'))), std::vector{EventKind::kRelay});
  EXPECT_EQ(state(), TenancyState::kEntering);
  EXPECT_EQ(feed(ready('I')), std::vector{EventKind::kOwnRequestDone});
  EXPECT_TRUE(fsm_.tenancy().is_bound_to(tenant_id(1)));
}

TEST_F(ServerFsmTest, AnythingElseThanSuccessOfEnterBreaksTheConnection) {
  const std::string function_result = message('V', std::string(4, '\0'));
  for (const std::string& answer :
       {error("28000"), ready('I'), function_result + ready('T'), function_result + ready('E'),
        complete("SELECT 1"), message('D', "x"), message('T', "x"), message('1'),
        message('G', "x")}) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    fsm.send_enter(out_, tenant_id(1), "token");
    std::string_view bytes = answer;
    ServerFsm::Event event;
    do {
      event = fsm.next(bytes);
    } while (event.kind == EventKind::kRelay);
    EXPECT_TRUE(event.kind == EventKind::kBroken || event.kind == EventKind::kOwnRequestFailed);
    EXPECT_EQ(fsm.tenancy().state(), TenancyState::kBroken);
    EXPECT_EQ(fsm.next(bytes).kind, EventKind::kBroken);
  }
}

TEST_F(ServerFsmTest, NoticesOfOwnRequestsAreSwallowed) {
  fsm_.send_enter(out_, tenant_id(1), "token");
  std::string_view notice_and_result;
  const std::string bytes =
      message('N', "a notice") + message('V', std::string(4, '\0')) + ready('I');
  notice_and_result = bytes;
  for (auto event = fsm_.next(notice_and_result); event.kind != EventKind::kNeedMore;
       event = fsm_.next(notice_and_result)) {
    EXPECT_TRUE(event.bytes.empty());
  }
  EXPECT_EQ(state(), TenancyState::kBound);
}

TEST_F(ServerFsmTest, ResetNeedsExactlyItsTagAndAnIdleServer) {
  enter();
  fsm_.send_reset(out_);
  EXPECT_EQ(state(), TenancyState::kResetting);
  // The tenant's time-out goes first, so that it cannot make the reset fail.
  feed(complete("RESET") + ready('I'));
  EXPECT_EQ(state(), TenancyState::kResetting);
  EXPECT_EQ(feed(complete("DISCARD ALL") + ready('I')),
            (std::vector{EventKind::kRelay, EventKind::kOwnRequestDone}));
  EXPECT_EQ(state(), TenancyState::kClean);

  for (const std::string& answer :
       {complete("DISCARD PLANS") + ready('I'), complete("DISCARD ALL") + ready('T'),
        error("57014") + ready('I'), ready('I'), complete("DISCARD ALL2") + ready('I'),
        message('D', "x") + complete("DISCARD ALL") + ready('I')}) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    fsm.send_reset(out_);
    const std::string all = complete("RESET") + ready('I') + answer;
    std::string_view bytes = all;
    for (int i = 0; i < 5; ++i) fsm.next(bytes);
    EXPECT_EQ(fsm.tenancy().state(), TenancyState::kBroken);
  }
}

TEST_F(ServerFsmTest, ResetLeavesATransactionFirst) {
  enter();
  drain(out_);
  fsm_.expect(Request::kQuery);
  feed(complete("BEGIN") + ready('T'));
  fsm_.send_reset(out_);
  std::string sent = drain(out_);
  EXPECT_EQ(request_summary(take_messages(sent)),
            "Q:ROLLBACK Q:RESET statement_timeout Q:DISCARD ALL");
  feed(complete("ROLLBACK") + ready('I') + complete("RESET") + ready('I') +
       complete("DISCARD ALL") + ready('I'));
  EXPECT_EQ(state(), TenancyState::kClean);
}

TEST_F(ServerFsmTest, ResetWithAnswersOutstandingBreaksTheConnection) {
  enter();
  fsm_.expect(Request::kQuery);
  fsm_.send_reset(out_);
  EXPECT_EQ(state(), TenancyState::kBroken);
}

TEST_F(ServerFsmTest, EnteringTwiceBreaksTheConnection) {
  enter();
  fsm_.send_enter(out_, tenant_id(2), "token");
  EXPECT_EQ(state(), TenancyState::kBroken);
}

TEST_F(ServerFsmTest, WhatEmptiesTheRegisterSoils) {
  for (const std::string& answer :
       {complete("DISCARD ALL"), complete("DISCARD SEQUENCES"), complete("DEALLOCATE"),
        complete("DEALLOCATE ALL"), error("55000")}) {
    SCOPED_TRACE(answer);
    ServerFsm fsm(fsm_.info(), random_, 4);
    fsm.send_enter(out_, tenant_id(1), "token");
    fsm.expect(Request::kQuery);
    const std::string all = message('V', std::string(4, '\0')) + ready('I') + answer + ready('I');
    std::string_view bytes = all;
    while (fsm.next(bytes).kind != EventKind::kNeedMore) {
    }
    EXPECT_EQ(fsm.tenancy().state(), TenancyState::kSoiled);
    EXPECT_FALSE(fsm.is_free());
    EXPECT_TRUE(fsm.is_quiet());
  }
}

TEST_F(ServerFsmTest, AnswersOutOfTurnBreakTheConnection) {
  struct Case {
    Request request;
    std::string answer;
  };
  for (const Case& one :
       {Case{Request::kParse, message('2')}, Case{Request::kBind, message('1')},
        Case{Request::kDescribePortal, message('t', std::string(2, '\0'))},
        Case{Request::kExecute, message('n')}, Case{Request::kExecute, ready('I')},
        Case{Request::kClose, complete("CLOSE")}, Case{Request::kSync, complete("SELECT 1")},
        Case{Request::kQuery, message('1')},
        Case{Request::kQuery, message('W', std::string(3, '\0'))},
        Case{Request::kQuery, message('R', std::string(4, '\0'))},
        Case{Request::kQuery, ready('X')}, Case{Request::kQuery, message('Z', "II")},
        Case{Request::kQuery, message('S', "no zero")},
        Case{Request::kQuery, message('E', "no end")}}) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    fsm.expect(one.request);
    std::string_view bytes = one.answer;
    EXPECT_EQ(fsm.next(bytes).kind, EventKind::kBroken)
        << static_cast<int>(one.request) << " " << one.answer[0];
  }
}

TEST_F(ServerFsmTest, UnaskedAnswersBreakTheConnection) {
  for (const std::string& answer :
       {ready('I'), complete("SELECT 1"), message('D', "x"), message('1'), message('V', "x")}) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    std::string_view bytes = answer;
    EXPECT_EQ(fsm.next(bytes).kind, EventKind::kBroken);
  }
}

TEST_F(ServerFsmTest, RowsAreRelayedInRunsAndInParts) {
  fsm_.expect(Request::kQuery);
  const std::string rows =
      message('D', "one") + message('D', "two") + message('D', std::string(1000, 'x'));
  std::string relayed;
  // In parts of 7 bytes, with what is left carried over as the shell does.
  std::string carried;
  for (size_t at = 0; at < rows.size(); at += 7) {
    carried.append(rows, at, 7);
    std::string_view bytes = carried;
    for (auto event = fsm_.next(bytes); event.kind != EventKind::kNeedMore;
         event = fsm_.next(bytes))
      relayed.append(event.bytes);
    carried.erase(0, carried.size() - bytes.size());
  }
  EXPECT_EQ(relayed, rows);
}

TEST_F(ServerFsmTest, StatementNamesAreFreshAfterEachReset) {
  const PreparedStatement statement{
      .id = 5, .definition = std::string("select 1\0\0\0", 11), .shape = {}};
  const std::string first = fsm_.use_statement(out_, statement);
  EXPECT_EQ(fsm_.use_statement(out_, statement), first);
  drain(out_);
  feed(message('1'));
  fsm_.send_reset(out_);
  feed(complete("RESET") + ready('I') + complete("DISCARD ALL") + ready('I'));
  EXPECT_NE(fsm_.use_statement(out_, statement), first);
}

TEST_F(ServerFsmTest, WhereNamesCanBeListedANewClientGetsNewOnes) {
  ServerFsm fsm({.key = {}, .enter_oid = 1, .statement_names_are_private = false, .reported = {}},
                random_, 4);
  const PreparedStatement statement{
      .id = 5, .definition = std::string("select 1\0\0\0", 11), .shape = {}};
  fsm.change_client(out_, 1);
  const std::string first = fsm.use_statement(out_, statement);
  fsm.change_client(out_, 1);
  EXPECT_EQ(fsm.use_statement(out_, statement), first);
  drain(out_);
  fsm.change_client(out_, 2);
  std::string sent = drain(out_);
  EXPECT_EQ(request_summary(take_messages(sent)), "C");
  EXPECT_NE(fsm.use_statement(out_, statement), first);
}

// A tenant may have client_min_messages set where nobody sees it; then the server tells the names.
TEST_F(ServerFsmTest, NamesThatADebugNoticeMayHaveToldAreNotUsedAgain) {
  using namespace std::string_literals;
  enter();
  const PreparedStatement statement{
      .id = 5, .definition = std::string("select 1\0\0\0", 11), .shape = {}};
  std::string name = fsm_.use_statement(out_, statement);
  drain(out_);
  feed(message('1'));
  feed(message('N', "SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"s));
  feed(message('N', "SWARNUNG\0VWARNING\0C01000\0Mhello\0\0"s));
  EXPECT_EQ(fsm_.use_statement(out_, statement), name) << "these tell nothing";
  for (const std::string& notice :
       {"SDEBUG\0VDEBUG\0C00000\0Mparse "s + name + "\0\0"s, "SDEBUG2\0VDEBUG2\0M\0\0"s,
        "Mno severity\0\0"s, "S"s + std::string(100, 'x') + "\0VNOTICE\0\0"s}) {
    // Not before its severity has come.
    const std::string whole = message('N', notice);
    feed(whole);
    const std::string next = fsm_.use_statement(out_, statement);
    EXPECT_NE(next, name) << notice;
    std::string sent = drain(out_);
    EXPECT_EQ(request_summary(take_messages(sent)), "C P");
    feed(message('3') + message('1'));
    name = next;
  }
}

TEST_F(ServerFsmTest, ANoticeInPiecesIsJudgedAsAWhole) {
  using namespace std::string_literals;
  const std::string notice = message('N', "SDEBUG\0VDEBUG\0C00000\0Mparse x\0\0"s);
  for (size_t cut = 1; cut < notice.size(); ++cut) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    fsm.send_enter(out_, tenant_id(1), "token");
    const std::string entered = message('V', std::string(4, '\0')) + ready('I');
    std::string_view input = entered;
    while (fsm.next(input).kind != EventKind::kNeedMore) {
    }
    const PreparedStatement statement{
        .id = 5, .definition = std::string("select 1\0\0\0", 11), .shape = {}};
    const std::string name = fsm.use_statement(out_, statement);
    std::string_view first = std::string_view(notice).substr(0, cut);
    while (fsm.next(first).kind != EventKind::kNeedMore) {
    }
    const std::string left = std::string(first) + notice.substr(cut);
    std::string_view rest = left;
    while (fsm.next(rest).kind != EventKind::kNeedMore) {
    }
    EXPECT_NE(fsm.use_statement(out_, statement), name) << cut;
  }
}

// Whatever a server says: no crash, and never anything but a reset makes the connection clean.
TEST_F(ServerFsmTest, RandomAnswersNeverMakeItClean) {
  SeededRandom random(3);
  const std::string types = "RKSZTDCEN123nstIVvGHWdcA";
  for (int round = 0; round < 3000; ++round) {
    ServerFsm fsm(fsm_.info(), random_, 4);
    Outbox out;
    fsm.send_enter(out, tenant_id(1), "token");
    fsm.expect(Request::kParse);
    fsm.expect(Request::kBind);
    fsm.expect(Request::kExecute);
    fsm.expect(Request::kSync);
    std::string bytes = random.below(2) == 0 ? message('V', std::string(4, '\0')) + ready('I') : "";
    for (int i = 0; i < 6; ++i) {
      std::string body;
      for (uint64_t n = random.below(6); n > 0; --n)
        body += static_cast<char>(random.below(4) == 0 ? 'I' : random.below(256));
      bytes += random.below(5) == 0 ? ready("ITE"[random.below(3)])
                                    : message(types[random.below(types.size())], body);
    }
    std::string_view input = bytes;
    for (int i = 0; i < 40; ++i) fsm.next(input);
    EXPECT_NE(fsm.tenancy().state(), TenancyState::kClean);
  }
}

}  // namespace
}  // namespace partywall::sql
