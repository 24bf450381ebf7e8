#include "sql/client/client_fsm.h"

#include <gtest/gtest.h>

#include "sql/session_harness.h"

namespace partywall::sql {
namespace {

using namespace testing;

TEST(ClientFsm, BoundLoginEntersItsTenantInTheSamePacketAsItsFirstStatement) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "F Q:select 1");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
  EXPECT_FALSE(session.client().has_server());
  // The same tenant again: nothing is added.
  EXPECT_EQ(session.ask(query("select 2")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "Q:select 2");
}

TEST(ClientFsm, BeginIsAnsweredAtOnceAndSentWithTheFirstStatement) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("begin isolation level serializable")), "C:BEGIN Z:T");
  EXPECT_EQ(session.sent_to_server(), "");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:T");
  EXPECT_EQ(session.sent_to_server(), "F Q:begin isolation level serializable Q:select 1");
  EXPECT_TRUE(session.client().has_server());
  EXPECT_EQ(session.ask(query("commit")), "C:COMMIT Z:I");
  EXPECT_FALSE(session.client().has_server());
}

TEST(ClientFsm, EmptyTransactionNeedsNoServer) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("BEGIN") + query("COMMIT")), "C:BEGIN Z:T C:COMMIT Z:I");
  EXPECT_EQ(session.ask(query("START TRANSACTION") + query("ROLLBACK")),
            "C:START TRANSACTION Z:T C:ROLLBACK Z:I");
  EXPECT_EQ(session.ask(query("COMMIT")), "N C:COMMIT Z:I");
  EXPECT_EQ(session.ask(query("BEGIN") + query("BEGIN")), "C:BEGIN Z:T N C:BEGIN Z:T");
  EXPECT_EQ(session.sent_to_server(), "");
}

TEST(ClientFsm, WithoutTenantNothingIsExecuted) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
  EXPECT_EQ(session.ask(query("begin") + query("select 1")), "C:BEGIN Z:T E:28000 Z:E");
  EXPECT_EQ(session.ask(query("select 1")), "E:25P02 Z:E");
  EXPECT_EQ(session.ask(query("commit")), "C:ROLLBACK Z:I");
  EXPECT_EQ(session.sent_to_server(), "");
}

TEST(ClientFsm, SetLocalBindsTheTransaction) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("begin") + query("set local app.current_tenant = 'context-1'")),
            "C:BEGIN Z:T C:SET Z:T");
  EXPECT_EQ(session.sent_to_server(), "");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:T");
  EXPECT_EQ(session.sent_to_server(), "F Q:begin Q:select 1");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
  EXPECT_EQ(session.ask(query("commit")), "C:COMMIT Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
}

TEST(ClientFsm, SetConfigBindsToo) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("begin") +
                        query("select set_config('app.current_tenant', 'context-2', true)")),
            "C:BEGIN Z:T T D C:SELECT 1 Z:T");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:T");
  EXPECT_EQ(session.postgres.register_value(), "tenant 2");
}

TEST(ClientFsm, SetLocalOutsideATransactionDoesNothing) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("set local app.current_tenant = 'context-1'")), "N C:SET Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
}

TEST(ClientFsm, SecondTenantInATransactionIsRefusedAndFailsIt) {
  auto session = SessionHarness::open();
  const std::string start = query("begin") + query("set local app.current_tenant = 'context-1'");
  const std::string other = query("set local app.current_tenant = 'context-2'");
  EXPECT_EQ(session.ask(start + other), "C:BEGIN Z:T C:SET Z:T E:25001 Z:E");
  EXPECT_EQ(session.ask(query("rollback")), "C:ROLLBACK Z:I");
  // Also when the server has the transaction: there it fails too.
  EXPECT_EQ(session.ask(start + query("select 1")), "C:BEGIN Z:T C:SET Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(session.ask(other), "E:25001 Z:E");
  EXPECT_EQ(session.postgres.status(), 'E');
  EXPECT_EQ(session.ask(query("select 1")), "E:25P02 Z:E");
  EXPECT_EQ(session.ask(query("commit")), "C:ROLLBACK Z:I");
  // The same tenant may be named again.
  EXPECT_EQ(
      session.ask(start + query("select 1") + query("set local app.current_tenant = 'context-1'")),
      "C:BEGIN Z:T C:SET Z:T D C:SELECT 1 Z:T C:SET Z:T");
}

TEST(ClientFsm, TenantOfTheSessionCountsAgainAfterTheTransaction) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("set app.current_tenant = 'context-1'")), "C:SET Z:I");
  EXPECT_EQ(session.ask(query("begin") + query("set local app.current_tenant = 'context-2'") +
                        query("select 1")),
            "C:BEGIN Z:T C:SET Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(session.postgres.register_value(), "tenant 2");
  session.sent_to_server();
  EXPECT_EQ(session.ask(query("rollback") + query("select 1")), "C:ROLLBACK Z:I D C:SELECT 1 Z:I");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
  // Another tenant: the connection is reset before it is entered.
  EXPECT_EQ(session.sent_to_server(),
            "Q:rollback Q:RESET statement_timeout Q:DISCARD ALL F Q:select 1");
}

TEST(ClientFsm, SetForTheSessionInARolledBackTransactionIsUndone) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("begin") + query("set app.current_tenant = 'context-1'") +
                        query("rollback") + query("select 1")),
            "C:BEGIN Z:T C:SET Z:T C:ROLLBACK Z:I E:28000 Z:I");
  EXPECT_EQ(session.ask(query("begin") + query("set app.current_tenant = 'context-1'") +
                        query("commit") + query("select 1")),
            "C:BEGIN Z:T C:SET Z:T C:COMMIT Z:I D C:SELECT 1 Z:I");
}

TEST(ClientFsm, BoundLoginKeepsItsTenant) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("set app.current_tenant = 'context-2'")), "E:42501 Z:I");
  EXPECT_EQ(session.ask(query("set app.current_tenant = 'context-1'")), "C:SET Z:I");
  EXPECT_EQ(session.ask(query("reset app.current_tenant")), "E:42501 Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
}

TEST(ClientFsm, SettingMustBeTheFirstStatementOfItsQuery) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("select 1; set app.current_tenant = 'context-1'")), "E:0A000 Z:I");
  EXPECT_EQ(session.ask(query("set local app.current_tenant = 'context-1'; select 1")),
            "C:SET Z:I");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
  EXPECT_EQ(session.ask(query("set app.current_tenant = 'context-1', 'context-2'")), "E:0A000 Z:I");
}

TEST(ClientFsm, ExtendedProtocolBindsTheTenant) {
  auto session = SessionHarness::open();
  const std::string set = parse("", "select set_config('app.current_tenant', $1, true)");
  EXPECT_EQ(session.ask(query("begin") + set + target('D', 'S', "") + sync()),
            "C:BEGIN Z:T 1 t T Z:T");
  EXPECT_EQ(session.ask(bind("", "", {"context-1"}) + execute() + sync()), "2 D C:SELECT 1 Z:T");
  EXPECT_EQ(session.ask(parse("", "select 1") + bind("", "") + execute() + sync()),
            "1 2 D C:SELECT 1 Z:T");
  EXPECT_EQ(session.sent_to_server(), "F Q:begin P B E S");
}

TEST(ClientFsm, ExtendedPipelineWithBeginAndSettingIsOneSection) {
  auto session = SessionHarness::open();
  const std::string one = parse("", "begin") + bind("", "") + execute();
  const std::string two =
      parse("", "set local app.current_tenant = 'context-1'") + bind("", "") + execute();
  const std::string three = parse("", "select 1") + bind("", "") + target('D', 'P', "") + execute();
  const std::string four = parse("", "commit") + bind("", "") + execute() + sync();
  EXPECT_EQ(session.ask(one + two + three + four),
            "1 2 C:BEGIN 1 2 C:SET 1 2 n D C:SELECT 1 1 2 C:COMMIT Z:I");
  EXPECT_EQ(session.sent_to_server(), "F Q:begin P B D E P B E S");
}

TEST(ClientFsm, ImplicitTransactionOfAPipelineKeepsItsTenant) {
  auto session = SessionHarness::open();
  const std::string set =
      parse("", "set local app.current_tenant = 'context-1'") + bind("", "") + execute();
  const std::string one = parse("", "select 1") + bind("", "") + execute();
  EXPECT_EQ(session.ask(set + one + sync()), "1 2 C:SET 1 2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(one + sync()), "E:28000 Z:I");
  // Another tenant within the same pipeline is refused.
  const std::string other =
      parse("", "set local app.current_tenant = 'context-2'") + bind("", "") + execute();
  EXPECT_EQ(session.ask(set + one + other + one + sync()),
            "1 2 C:SET 1 2 D C:SELECT 1 1 E:25001 Z:I");
}

TEST(ClientFsm, ErrorInAPipelineSkipsToSync) {
  auto session = SessionHarness::bound();
  const std::string ok = parse("", "select 1") + bind("", "") + execute();
  const std::string bad = parse("", "fail") + bind("", "") + execute();
  EXPECT_EQ(session.ask(ok + bad + ok + sync() + ok + sync()),
            "1 2 D C:SELECT 1 1 2 E:22012 Z:I 1 2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(query("begin") + ok + bad + ok + sync()),
            "C:BEGIN Z:T 1 2 D C:SELECT 1 1 2 E:22012 Z:E");
  EXPECT_EQ(session.ask(query("rollback")), "C:ROLLBACK Z:I");
}

TEST(ClientFsm, NamedStatementsAreKnownToTheServerByOtherNames) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("mine", "select 1") + target('D', 'S', "mine") + sync()),
            "1 t n Z:I");
  EXPECT_EQ(session.ask(bind("", "mine") + execute() + sync()), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "F P D S B E S");
  EXPECT_EQ(session.ask(parse("mine", "select 1") + sync()), "E:42P05 Z:I");
  EXPECT_EQ(session.ask(target('C', 'S', "mine") + sync()), "3 Z:I");
  EXPECT_EQ(session.ask(bind("", "mine") + execute() + sync()), "E:26000 Z:I");
  EXPECT_EQ(session.sent_to_server(), "");
}

// What DO runs is not seen: it may have taken the statements away, or put others under their names.
TEST(ClientFsm, AfterAStatementThatMayHideOthersPreparedOnesGetNewNames) {
  SessionHarness session = SessionHarness::bound();
  session.ask(parse("q", "select 1") + sync());
  session.ask(bind("", "q") + execute() + sync());
  session.sent_to_server();
  session.ask(bind("", "q") + execute() + sync());
  EXPECT_EQ(session.sent_to_server(), "B E S") << "it is there";
  for (const char* harmless : {"select f()", "update t set a = 1", "insert into t values (1)"}) {
    session.ask(query(harmless));
    session.sent_to_server();
    session.ask(bind("", "q") + execute() + sync());
    EXPECT_EQ(session.sent_to_server(), "B E S") << harmless;
  }
  for (const char* opaque : {"do $$begin execute 'deallocate all'; end$$", "call p()",
                             "select 1; do 'x'", "explain x"}) {
    session.ask(query(opaque));
    session.sent_to_server();
    session.ask(bind("", "q") + execute() + sync());
    EXPECT_EQ(session.sent_to_server(), "C P B E S") << opaque;
  }
  session.ask(parse("d", "do 'x'") + bind("", "d") + execute() + sync());
  session.sent_to_server();
  session.ask(bind("", "q") + execute() + sync());
  EXPECT_EQ(session.sent_to_server(), "C C P B E S") << "by the extended protocol";
}

TEST(ClientFsm, StatementsArePreparedAgainOnAConnectionThatLostThem) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("mine", "select 1") + bind("", "mine") + execute() + sync()),
            "1 2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(query("discard sequences")),
            "C:DISCARD SEQUENCES Z:I");  // soils the connection
  session.sent_to_server();
  EXPECT_EQ(session.ask(bind("", "mine") + execute() + sync()), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "Q:RESET statement_timeout Q:DISCARD ALL F P B E S");
}

TEST(ClientFsm, UnnamedStatementIsReplayed) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("", "select 1") + sync()), "1 Z:I");
  EXPECT_EQ(session.ask(bind("", "") + execute() + sync()), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "F P S B E S");
  EXPECT_EQ(session.ask(query("discard sequences")), "C:DISCARD SEQUENCES Z:I");
  EXPECT_EQ(session.ask(bind("", "") + execute() + sync()), "E:26000 Z:I");  // a Query drops it
}

// PostgreSQL 15 crashes when it is asked to execute the portal of a Query that failed.
TEST(ClientFsm, UnnamedPortalThatNoBindMadeNeverReachesTheServer) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("begin") + query("select 1") + query("fail")),
            "C:BEGIN Z:T D C:SELECT 1 Z:T E:22012 Z:E");
  session.sent_to_server();
  EXPECT_EQ(session.ask(execute() + sync()), "E:34000 Z:E");
  EXPECT_EQ(session.sent_to_server(), "B S");
  EXPECT_EQ(session.ask(parse("", "fail") + bind("", "") + sync() + execute() + sync()),
            "E:25P02 Z:E E:34000 Z:E");  // that Bind was skipped
  EXPECT_EQ(session.ask(query("rollback")), "C:ROLLBACK Z:I");
  EXPECT_EQ(session.ask(query("begin") + parse("", "select 1") + bind("", "") + execute() + sync()),
            "C:BEGIN Z:T 1 2 D C:SELECT 1 Z:T");
}

TEST(ClientFsm, WhatComesBehindAnErrorHasNoEffect) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("old", "select 1") + sync()), "1 Z:I");
  const std::string behind = target('C', 'S', "old") + parse("old", "select 3") +
                             parse("new", "select 2") + target('C', 'S', "new") + sync();
  // The door's own refusal, and one of the server.
  for (const std::string& mistake :
       {bind("", "never"), parse("", "fail") + bind("", "") + execute()}) {
    session.ask(query("begin") + query("select 1"));
    session.ask(mistake + behind);
    session.ask(query("rollback"));
    EXPECT_EQ(session.ask(bind("", "old") + execute() + sync()), "2 D C:SELECT 1 Z:I");
    EXPECT_EQ(session.ask(bind("", "new") + execute() + sync()), "E:26000 Z:I");
  }
}

TEST(ClientFsm, LeastRecentlyUsedStatementIsClosed) {
  auto session = SessionHarness::bound();
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(session.ask(parse("s" + std::to_string(i), "select " + std::to_string(i)) + sync()),
              "1 Z:I");
  }
  EXPECT_EQ(session.sent_to_server(), "F P S P S P S P S C P S C P S");
  EXPECT_EQ(session.ask(bind("", "s0") + execute() + sync()), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(), "C P B E S");
}

TEST(ClientFsm, FailedParseLeavesNoStatement) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("ok", "select 1") + parse("bad", "syntax error") + sync()),
            "1 E:42601 Z:I");
  EXPECT_EQ(session.ask(bind("", "bad") + sync()), "E:26000 Z:I");
  EXPECT_EQ(session.ask(bind("", "ok") + execute() + sync()), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(parse("bad", "select 2") + bind("", "bad") + execute() + sync()),
            "1 2 D C:SELECT 1 Z:I");
}

TEST(ClientFsm, DeallocateOfAProtocolStatementIsAnsweredHere) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(parse("mine", "select 1") + sync()), "1 Z:I");
  session.sent_to_server();
  EXPECT_EQ(session.ask(query("deallocate mine")), "C:DEALLOCATE Z:I");
  EXPECT_EQ(session.sent_to_server(), "");
  EXPECT_EQ(session.ask(bind("", "mine") + sync()), "E:26000 Z:I");
}

TEST(ClientFsm, SessionStatePinsTheConnection) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("prepare x as select 1")), "C:PREPARE Z:I");
  EXPECT_TRUE(session.client().is_pinned());
  EXPECT_TRUE(session.client().has_server());
  EXPECT_EQ(session.ask(query("begin") + query("select 1") + query("commit")),
            "C:BEGIN Z:T D C:SELECT 1 Z:T C:COMMIT Z:I");
  EXPECT_TRUE(session.client().has_server());
  EXPECT_EQ(session.ask(query("discard all")), "C:DISCARD ALL Z:I");
  EXPECT_FALSE(session.client().has_server());
}

TEST(ClientFsm, CleaningWithoutAServerConnectionNeedsNone) {
  auto session = SessionHarness::open();
  // As asyncpg gives a connection back to its pool.
  EXPECT_EQ(
      session.ask(query("SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;")),
      "T D C:SELECT 1 C:CLOSE CURSOR ALL C:UNLISTEN C:RESET Z:I");
  EXPECT_EQ(session.ask(query("set app.current_tenant = 'context-1'") + query("reset all") +
                        query("select 1")),
            "C:SET Z:I C:RESET Z:I E:28000 Z:I");
  EXPECT_EQ(session.ask(query("reset all; select 1")), "E:28000 Z:I");
  EXPECT_EQ(session.sent_to_server(), "");
}

TEST(ClientFsm, SessionLocksPin) {
  auto session = SessionHarness::bound();
  session.ask(query("select pg_advisory_xact_lock(1)"));
  EXPECT_FALSE(session.client().is_pinned());
  session.ask(query("select pg_advisory_lock(1)"));
  EXPECT_TRUE(session.client().is_pinned());
}

TEST(ClientFsm, SettingsThatAreNotReportedPin) {
  auto session = SessionHarness::bound();
  session.ask(query("select set_config('search_path', 'a', true)"));
  session.ask(query("set local work_mem = '1MB'"));
  EXPECT_FALSE(session.client().is_pinned());
  session.ask(query("select set_config('search_path', 'a', false)"));
  EXPECT_TRUE(session.client().is_pinned());
}

TEST(ClientFsm, SessionStateNeedsATenantOfTheSession) {
  auto session = SessionHarness::open();
  const std::string start = query("begin") + query("set local app.current_tenant = 'context-1'");
  EXPECT_EQ(session.ask(start + query("listen x")), "C:BEGIN Z:T C:SET Z:T E:0A000 Z:E");
  EXPECT_FALSE(session.client().is_pinned());
}

TEST(ClientFsm, ReportedSettingsFollowTheClientInsteadOfPinning) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("set TimeZone")), "S C:SET Z:I");
  EXPECT_FALSE(session.client().has_server());
  ASSERT_TRUE(session.client().settings());
  EXPECT_EQ(*session.client().settings()->find("TimeZone"), "changed");
  EXPECT_EQ(session.ask(query("discard sequences")), "C:DISCARD SEQUENCES Z:I");
  session.sent_to_server();
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(),
            "Q:RESET statement_timeout Q:DISCARD ALL F Q:SELECT pg_catalog.set_config('TimeZone', "
            "E'changed', false) Q:select 1");
}

TEST(ClientFsm, WhatWasNamedAtStartUpIsTriedBeforeAnythingRuns) {
  auto session = SessionHarness::with_time_zone("Asia/Tokyo");
  session.holds_server_back = true;
  session.exchange(query("select 1"));
  session.holds_server_back = false;
  EXPECT_EQ(session.ask(query("select 2")), "D C:SELECT 1 Z:I D C:SELECT 1 Z:I");
  EXPECT_EQ(session.sent_to_server(),
            "F Q:SELECT pg_catalog.set_config('TimeZone', E'Asia/Tokyo', false) Q:select 1 "
            "Q:select 2")
      << "once";
}

TEST(ClientFsm, AWrongSettingOfStartUpEndsTheClientAndNotTheServerConnection) {
  for (const std::string& first :
       {query("select 1"), parse("", "select 1") + bind("", "") + execute("") + sync()}) {
    auto session = SessionHarness::with_time_zone("No/Such");
    EXPECT_EQ(session.ask(first), "E:22023");
    EXPECT_TRUE(session.client().is_finished());
    EXPECT_FALSE(session.sent_to_server().contains("select")) << "nothing runs with other settings";
    EXPECT_TRUE(session.server().is_quiet());
    EXPECT_EQ(session.server().tenancy().state(), TenancyState::kBound);
    EXPECT_FALSE(session.server().settings()) << "as it was before";
  }
}

TEST(ClientFsm, ATransactionWhoseFirstStatementWaitsForSettingsIsNotIdle) {
  auto session = SessionHarness::with_time_zone("Asia/Tokyo");
  session.holds_answers = true;
  session.exchange(query("begin") + query("select 1"));
  EXPECT_FALSE(session.client().idle_in_transaction_since());
  session.holds_answers = false;
  EXPECT_EQ(session.ask(query("commit")), "D C:SELECT 1 Z:T C:COMMIT Z:I");
}

TEST(ClientFsm, AServerLostWhileSettingsAreTriedIsReplaced) {
  auto session = SessionHarness::with_time_zone("Asia/Tokyo");
  session.holds_answers = true;
  session.exchange(query("select 1"));
  EXPECT_TRUE(session.client().busy_since()) << "a server that hangs is not waited for without end";
  EXPECT_FALSE(session.client().is_idle());
  session.lose_server();
  EXPECT_FALSE(session.client().busy_since());
  EXPECT_FALSE(session.client().is_finished());
  EXPECT_EQ(session.take_to_client(), "");
  session.holds_answers = false;
  EXPECT_EQ(session.ask(query("select 2")), "D C:SELECT 1 Z:I D C:SELECT 1 Z:I");
}

TEST(ClientFsm, EmptiedRegisterFailsClosedAndIsEnteredAgain) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("begin") + query("select 1") + query("discard sequences") +
                        query("select 1")),
            "C:BEGIN Z:T D C:SELECT 1 Z:T C:DISCARD SEQUENCES Z:T E:55000 Z:E");
  EXPECT_EQ(session.ask(query("rollback") + query("select 1")), "C:ROLLBACK Z:I D C:SELECT 1 Z:I");
}

TEST(ClientFsm, FailedEnterIsReportedWithoutItsText) {
  auto session = SessionHarness::bound();
  session.postgres.enter_fails = true;
  std::string answer = session.exchange(query("select 1"));
  EXPECT_EQ(answer.find("from the server"), std::string::npos);
  EXPECT_EQ(summary(take_messages(answer)), "E:58000 Z:I");
  EXPECT_FALSE(session.client().has_server());
  EXPECT_EQ(session.server().tenancy().state(), TenancyState::kBroken);
}

TEST(ClientFsm, FailedEnterFailsTheTransactionOfTheClient) {
  auto session = SessionHarness::bound();
  session.postgres.enter_fails = true;
  EXPECT_EQ(session.ask(query("begin") + query("select 1") + query("rollback")),
            "C:BEGIN Z:T E:58000 Z:E C:ROLLBACK Z:I");
}

TEST(ClientFsm, FailedEnterInAPipelineSkipsToSync) {
  auto session = SessionHarness::bound();
  session.postgres.enter_fails = true;
  const std::string ok = parse("", "select 1") + bind("", "") + execute();
  EXPECT_EQ(session.ask(ok + ok + sync()), "E:58000 Z:I");
}

TEST(ClientFsm, RefusedServerFailsTheStatement) {
  auto session = SessionHarness::bound();
  session.refuse_with = SqlError{sqlstate::kTooManyConnections, "busy", ""};
  EXPECT_EQ(session.ask(query("select 1")), "E:53300 Z:I");
  session.refuse_with = SqlError{sqlstate::kTooManyConnections, "busy", ""};
  EXPECT_EQ(session.ask(query("begin") + parse("", "select 1") + bind("", "") + sync()),
            "C:BEGIN Z:T E:53300 Z:E");
  EXPECT_EQ(session.ask(query("rollback") + query("select 1")), "C:ROLLBACK Z:I D C:SELECT 1 Z:I");
}

TEST(ClientFsm, CopyInAndOut) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("copy out")), "H d c C:COPY 1 Z:I");
  EXPECT_EQ(session.ask(query("copy in")), "G");
  EXPECT_EQ(
      session.ask(message('d', "1\n") + message('d', std::string(100'000, 'x')) + message('c')),
      "C:COPY 1 Z:I");
  EXPECT_EQ(
      session.ask(query("copy in") + message('d', "1\n") + message('f', std::string("no\0", 3))),
      "G E:57014 Z:I");
  // After its end, what is left of it is ignored.
  EXPECT_EQ(session.ask(message('d', "1\n") + message('c') + query("select 1")),
            "D C:SELECT 1 Z:I");
}

TEST(ClientFsm, CopyInOfTheExtendedProtocol) {
  auto session = SessionHarness::bound();
  // As libpq does it: Sync at once, and again after CopyDone.
  EXPECT_EQ(session.ask(parse("", "copy in") + bind("", "") + execute() + sync()), "1 2 G");
  EXPECT_EQ(session.ask(message('d', "1\n") + message('S') + message('c') + sync()),
            "C:COPY 1 Z:I");
  EXPECT_EQ(session.ask(parse("", "copy in") + bind("", "") + execute() + sync()), "1 2 G");
  EXPECT_EQ(session.ask(message('d', "1\n") + message('f', std::string("no\0", 3)) + sync()),
            "E:57014 Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(ClientFsm, LostServerEndsTheSession) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("begin") + query("select 1")), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  session.lose_server();
  std::string rest = session.take_to_client();
  EXPECT_EQ(summary(take_messages(rest)), "E:08006");
  EXPECT_TRUE(session.client().is_finished());
}

TEST(ClientFsm, BrokenProtocolEndsTheSession) {
  for (const std::string& bad :
       {std::string("GET / HTTP/1.1\r\n"), message('p', "password"), std::string("S\0\0\0\3", 5),
        message('Q', "no zero"), message('Q', std::string("two\0texts\0", 10)), message('P', "x"),
        message('D', std::string("Xx\0", 3)), std::string("Q\x7f\xff\xff\xff", 5)}) {
    auto session = SessionHarness::bound();
    EXPECT_EQ(session.ask(bad), "E:08P01") << bad;
    EXPECT_TRUE(session.client().is_finished());
  }
}

TEST(ClientFsm, LongStatementIsPassedOnUnread) {
  auto session = SessionHarness::bound();
  const std::string text = "select '" + std::string(1'000'000, 'x') + "'";
  EXPECT_EQ(session.ask(query(text)), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(parse("", text) + bind("", "") + execute() + sync()),
            "1 2 D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(parse("named", text) + bind("", "named") + execute() + sync()),
            "E:54000 Z:I");
}

// The answers to sections, each up to its ReadyForQuery.
std::vector<std::string> sections(std::string answer) {
  std::vector<std::string> all(1);
  for (const Message& one : take_messages(answer)) {
    all.back() += one.type;
    if (one.type == 'Z') all.emplace_back();
  }
  EXPECT_EQ(all.back(), "") << "an answer without an end";
  all.pop_back();
  return all;
}

// Each message to the server fails once: every section is answered to its end all the same, nothing
// of another tenant is seen, and the session can be used as before.
TEST(ClientFsm, FailureOfEachMessageLeavesTheSessionUsable) {
  const std::vector<std::string> conversation = {
      query("begin"),
      query("set local app.current_tenant = 'context-1'"),
      query("select 1"),
      parse("a", "select 1") + bind("", "a") + target('D', 'P', "") + execute() + sync(),
      query("rollback"),
      query("set app.current_tenant = 'context-2'"),
      parse("", "select 1") + bind("", "") + execute() + bind("", "a") + execute() + sync(),
      query("select 1; select 2"),
      target('C', 'S', "a") + parse("a", "select 3") + bind("", "a") + execute() + sync()};
  for (size_t failing = 0; failing < 40; ++failing) {
    for (const size_t split : {SIZE_MAX, size_t{3}}) {
      auto session = SessionHarness::open(split);
      session.postgres.fail_message(failing);
      for (const std::string& section : conversation) {
        const std::string answer = session.exchange(section);
        EXPECT_EQ(sections(answer).size(), 1u) << "message " << failing;
        EXPECT_EQ(answer.find("tenant 3"), std::string::npos);
      }
      session.postgres.fail_no_message();
      session.exchange(query("rollback"));
      EXPECT_EQ(session.ask(query("begin") + query("set local app.current_tenant = 'context-3'") +
                            query("select 1") + query("commit")),
                "C:BEGIN Z:T C:SET Z:T D C:SELECT 1 Z:T C:COMMIT Z:I")
          << "message " << failing;
      EXPECT_EQ(session.postgres.register_value(), "tenant 3");
    }
  }
}

// The server connection ends at each step: the session goes on, or ends with a FATAL error; it
// never hangs, and never takes an answer for one that was not given.
TEST(ClientFsm, LossOfTheServerAtEachStepIsTold) {
  const std::string conversation = query("begin") + query("select 1") + parse("", "select 1") +
                                   bind("", "") + execute() + sync() + query("commit") +
                                   query("many");
  auto whole = SessionHarness::bound(1);
  const size_t answered = whole.exchange(conversation).size();
  ASSERT_GT(answered, 0u);
  for (size_t step = 0; step < conversation.size(); ++step) {
    auto session = SessionHarness::bound();
    std::string answer = session.exchange(conversation.substr(0, step));
    const bool had_server = session.client().has_server();
    session.lose_server();
    answer += session.take_to_client();
    if (had_server) {
      EXPECT_TRUE(session.client().is_finished());
      EXPECT_EQ(take_messages(answer).back().type, 'E');
    } else {
      answer += session.exchange(conversation.substr(step));
      EXPECT_FALSE(session.client().is_finished());
      EXPECT_EQ(take_messages(answer).back(), (Message{'Z', "I"}));
    }
  }
}

// The same conversation gives the same answers, however the bytes are cut on their way.
TEST(ClientFsm, EverySplitOfTheBytesGivesTheSame) {
  const std::string conversation =
      query("begin") + query("set local app.current_tenant = 'context-1'") + query("many") +
      query("commit") + query("set app.current_tenant = 'context-2'") + parse("a", "select 1") +
      bind("", "a") + target('D', 'P', "") + execute() + sync() + query("copy in") +
      message('d', "1\n") + message('c') + query("copy out") + parse("", "fail") + bind("", "") +
      execute() + bind("", "a") + sync() + bind("", "a") + execute() + sync() +
      query("set DateStyle") + query("select 1; select 2") + target('C', 'S', "a") + sync() +
      message('X');
  auto whole = SessionHarness::open();
  const std::string expected = whole.exchange(conversation);
  const std::string expected_requests = whole.sent_to_server();
  ASSERT_GT(expected.size(), 100u);
  for (size_t split = 1; split < 60; ++split) {
    auto session = SessionHarness::open(split);
    EXPECT_EQ(session.exchange(conversation), expected) << split;
    EXPECT_EQ(session.sent_to_server(), expected_requests) << split;
  }
}

}  // namespace
}  // namespace partywall::sql
