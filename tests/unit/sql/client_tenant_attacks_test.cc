// What a client may try so that a statement runs for another tenant than PostgreSQL's rules for
// SET LOCAL say, or so that it takes more of the door than is its due.
#include <gtest/gtest.h>

#include "sql/session_harness.h"
#include "sql/wire/field_reader.h"

namespace partywall::sql {
namespace {

using namespace testing;

const std::string kBeginForOne =
    query("begin") + query("set local app.current_tenant = 'context-1'") + query("select 1");
constexpr std::string_view kBegun = "C:BEGIN Z:T C:SET Z:T D C:SELECT 1 Z:T";

std::string pipeline(std::string_view text) { return parse("", text) + bind("", "") + execute(); }

TEST(TenantOfTransaction, EndsWithItInTheMiddleOfAQuery) {
  for (const std::string_view end : {"commit", "rollback", "end", "abort"}) {
    auto session = SessionHarness::open();
    ASSERT_EQ(session.ask(kBeginForOne), kBegun);
    EXPECT_EQ(session.ask(query(std::string(end) + "; select 1")), "E:0A000 Z:E") << end;
    EXPECT_EQ(session.ask(query("rollback")), "C:ROLLBACK Z:I");
    EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
  }
}

TEST(TenantOfTransaction, EndsWithItInTheQueryThatBeganIt) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(query("begin; set local app.current_tenant = 'context-1'; select 1; "
                              "commit; select 1")),
            "E:0A000 Z:I");
  EXPECT_EQ(session.sent_to_server(), "");
  // Nothing follows its end: that is how it is meant.
  EXPECT_EQ(session.ask(query("set local app.current_tenant = 'context-1'; select 1; commit")),
            "C:SET Z:I");
}

TEST(TenantOfTransaction, EndsWithItInTheMiddleOfAPipeline) {
  auto session = SessionHarness::open();
  ASSERT_EQ(session.ask(kBeginForOne), kBegun);
  EXPECT_EQ(session.ask(pipeline("commit") + pipeline("select 1") + sync()),
            "1 2 C:COMMIT 1 E:0A000 Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
}

TEST(TenantOfTransaction, EndsWithItBeforeAFunctionCallOrQueryOfTheSamePipeline) {
  for (const std::string& behind : {message('F', "12345678"), query("select 1")}) {
    auto session = SessionHarness::open();
    ASSERT_EQ(session.ask(kBeginForOne), kBegun);
    EXPECT_EQ(session.ask(pipeline("commit") + behind), "1 2 C:COMMIT E:0A000 Z:I");
  }
}

TEST(TenantOfTransaction, IsNotChainedOn) {
  for (const std::string_view end : {"commit and chain", "rollback and chain"}) {
    auto session = SessionHarness::open();
    ASSERT_EQ(session.ask(kBeginForOne), kBegun);
    EXPECT_EQ(session.ask(pipeline(end) + sync()), "1 E:0A000 Z:E") << end;
    session.ask(query("rollback"));
    ASSERT_EQ(session.ask(kBeginForOne), kBegun);
    EXPECT_EQ(session.ask(query("select 1; " + std::string(end))), "E:0A000 Z:E") << end;
  }
}

TEST(TenantOfTransaction, ThatIsTheSessionsGoesOn) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query("begin") + query("select 1")), "C:BEGIN Z:T D C:SELECT 1 Z:T");
  EXPECT_EQ(session.ask(pipeline("commit") + pipeline("select 1") + sync()),
            "1 2 C:COMMIT 1 2 D C:SELECT 1 Z:I");
}

TEST(TenantSetting, BehindAnUnfinishedPipelineIsNotTakenForASettingOfPostgreSql) {
  auto session = SessionHarness::open();
  ASSERT_EQ(session.ask(query("set app.current_tenant = 'context-1'")), "C:SET Z:I");
  EXPECT_EQ(session.ask(pipeline("select 1") + query("set app.current_tenant = 'context-2'")),
            "1 2 D C:SELECT 1 E:25001 Z:I");
  EXPECT_EQ(session.postgres.register_value(), "tenant 1");
}

// SET LOCAL by set_config: what PostgreSQL takes for true must be true here, or the tenant would
// stay for the session.
TEST(TenantSetting, IsLocalHoweverTrueIsWritten) {
  const std::string text = "select set_config('app.current_tenant', $1, $2)";
  for (const std::string_view yes : {"t", "TRUE", "True", "tr", "ON", "yes", "Y", " 1 ", "1"}) {
    auto session = SessionHarness::open();
    session.ask(query("begin") + parse("", text) + bind("", "", {"context-1", std::string(yes)}) +
                execute() + sync());
    EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:T") << yes;
    EXPECT_EQ(session.ask(query("commit") + query("select 1")), "C:COMMIT Z:I E:28000 Z:I") << yes;
  }
  auto session = SessionHarness::open();
  EXPECT_EQ(
      session.ask(parse("", text) + bind("", "", {"context-1", "maybe"}) + execute() + sync()),
      "1 2 E:22P02 Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "E:28000 Z:I");
}

TEST(TenantSetting, IsLocalInBinaryToo) {
  for (const char byte : {'\1', 'f', '\x7f'}) {
    std::string bound;
    {
      MessageWriter writer(bound, 'B');
      writer.c_string("").c_string("").u16(2).u16(0).u16(1).u16(2);
      writer.u32(9).bytes("context-1").u32(1).u8(static_cast<uint8_t>(byte));
      writer.u16(0);
    }
    auto session = SessionHarness::open();
    session.ask(query("begin") + parse("", "select set_config('app.current_tenant', $1, $2)") +
                bound + execute() + sync());
    EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:T");
    EXPECT_EQ(session.ask(query("commit") + query("select 1")), "C:COMMIT Z:I E:28000 Z:I");
  }
}

TEST(TenantSetting, IsRefusedInAnOversizedBind) {
  auto session = SessionHarness::open();
  EXPECT_EQ(session.ask(parse("", "select set_config('app.current_tenant', $1, true)") +
                        bind("", "", {std::string(300'000, 'x')}) + execute() + sync()),
            "1 E:0A000 Z:I");
}

TEST(Pipeline, QueryBehindAnErrorWaitsForTheSyncAsInPostgreSql) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(pipeline("fail") + query("select 1")), "1 2 E:22012");
  EXPECT_EQ(session.ask(query("select 1") + pipeline("select 1")), "");
  EXPECT_EQ(session.ask(sync()), "Z:I");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
  EXPECT_EQ(session.ask(pipeline("fail") + message('F', "12345678") + sync()), "1 2 E:22012 Z:I");
}

TEST(SlotRole, IsNotTheTenantsToChange) {
  auto session = SessionHarness::bound();
  for (const std::string_view text :
       {"alter role current_user password 'x'", "ALTER USER current_user SET work_mem = 1",
        "alter role partywall_slot_001 reset all", "/* */ alter -- x\n user \"x\" password null"}) {
    EXPECT_EQ(session.ask(query(text)), "E:42501 Z:I") << text;
    EXPECT_EQ(session.ask(parse("", text) + bind("", "") + execute() + sync()), "1 E:42501 Z:I");
  }
  EXPECT_EQ(session.ask(query("select 1; alter role current_user password 'x'")), "E:42501 Z:I");
}

TEST(PreparedStatements, OfAClientAreBoundedInBytes) {
  auto session = SessionHarness::bound();
  const auto text = [](int number) {
    return "select '" + std::string(200'000, 'x') + std::to_string(number) + "'";
  };
  int number = 0;
  std::string answer;
  while (number < 100) {
    answer = session.ask(parse("s" + std::to_string(number), text(number)) + sync());
    if (answer != "1 Z:I") break;
    ++number;
  }
  EXPECT_EQ(answer, "E:54000 Z:I");
  EXPECT_EQ(number, 20);  // 4 MiB
  EXPECT_EQ(session.ask(target('C', 'S', "s0") + parse("again", text(0)) + sync()), "3 1 Z:I");
}

TEST(PreparedStatements, ClosedInTheSameSectionCountUpToItsEnd) {
  auto session = SessionHarness::bound();
  std::string all = pipeline("select 1");
  for (int number = 0; number < 40; ++number) {
    all += parse("s", "select '" + std::string(200'000, 'x') + std::to_string(number) + "'") +
           target('C', 'S', "s");
  }
  const std::string answer = session.ask(all + sync());
  EXPECT_TRUE(answer.ends_with("1 3 E:54000 Z:I")) << answer;
}

TEST(PreparedStatements, NamesInOneSectionAreBounded) {
  auto session = SessionHarness::bound();
  std::string all = pipeline("select 1");
  for (int number = 0; number < 10'001; ++number) all += target('C', 'S', "no");
  const std::string answer = session.ask(all + sync());
  EXPECT_TRUE(answer.ends_with("3 E:54000 Z:I"));
}

}  // namespace
}  // namespace partywall::sql
