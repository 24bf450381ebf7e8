// COPY FROM on a table with row-level security: what goes to PostgreSQL in its place.
#include <algorithm>

#include <gtest/gtest.h>

#include "sql/session_harness.h"

namespace partywall::sql {
namespace {

using namespace testing;

constexpr std::string_view kAsk = "COPY notes (id, body) FROM STDIN";

std::string copy_data(std::string_view text) { return message('d', text); }
std::string copy_done() { return message('c'); }
std::string give_up(std::string_view why) { return message('f', std::string(why) + '\0'); }

SessionHarness protected_table(size_t split = SIZE_MAX) {
  auto session = SessionHarness::bound(split);
  session.postgres.protected_columns = {"id", "tenant_id", "body"};
  return session;
}

std::string text_of(std::string answer) {
  std::string all;
  for (const Message& one : take_messages(answer)) {
    if (one.type == 'E') all += one.body;
  }
  return all;
}

TEST(ClientCopy, RowsBecomeOneInsertOfTheTenants) {
  for (const size_t split : {SIZE_MAX, size_t{1}, size_t{7}}) {
    auto session = protected_table(split);
    EXPECT_EQ(session.ask(query(kAsk)), "G");
    EXPECT_EQ(session.ask(copy_data("1\tx\n2") + copy_data("\t\\N\n") + copy_done()),
              "C:COPY 2 Z:I");
    EXPECT_EQ(session.postgres.inserted,
              "INSERT INTO \"notes\" (\"id\", \"body\") OVERRIDING SYSTEM VALUE VALUES ($1, $2), "
              "($3, $4) <- [1][x][2]NULL");
    EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
  }
}

TEST(ClientCopy, WithoutColumnsAllOfTheTableAreMeant) {
  auto session = protected_table();
  EXPECT_EQ(session.ask(query("COPY notes FROM STDIN")), "G");
  EXPECT_EQ(session.ask(copy_data("1\tt\tx\n") + copy_done()), "C:COPY 1 Z:I");
  EXPECT_NE(session.postgres.inserted.find("(\"id\", \"tenant_id\", \"body\")"), std::string::npos);
}

// asyncpg asks for the columns' types first, with a Flush and no Sync.
TEST(ClientCopy, BehindFlushedMessages) {
  auto session = protected_table();
  EXPECT_EQ(session.ask(parse("", "select id from notes") + message('H')), "1");
  EXPECT_EQ(session.ask(query(kAsk)), "G");
  EXPECT_EQ(session.ask(copy_data("1\tx\n") + copy_done()), "C:COPY 1 Z:I");
  EXPECT_NE(session.postgres.inserted, "");
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
}

// Where row-level security does not apply, and where something is wrong with the columns.
TEST(ClientCopy, WhatPostgresDoesItselfIsPassedOn) {
  auto session = SessionHarness::bound();
  EXPECT_EQ(session.ask(query(kAsk)), "G");
  EXPECT_EQ(session.ask(copy_data("1\tx\n") + copy_done()), "C:COPY 1 Z:I");
  EXPECT_EQ(session.postgres.inserted, "");
  auto other = protected_table();
  EXPECT_EQ(other.ask(query("COPY notes (id, id) FROM STDIN") + copy_data("1\t1\n") + copy_done()),
            "G C:COPY 1 Z:I");
  EXPECT_EQ(other.ask(query("COPY notes (nothing) FROM STDIN") + copy_data("1\n") + copy_done()),
            "G C:COPY 1 Z:I");
  EXPECT_EQ(other.postgres.inserted, "");
}

TEST(ClientCopy, NothingToCopy) {
  auto session = protected_table();
  EXPECT_EQ(session.ask(query(kAsk)), "G");
  EXPECT_EQ(session.ask(copy_done()), "C:COPY 0 Z:I");
  EXPECT_EQ(session.ask(query(kAsk) + copy_data("\\.\n1\tx\n") + copy_done()), "G C:COPY 0 Z:I");
}

TEST(ClientCopy, ManyRowsGoInBatchesWithinOneTransaction) {
  for (const size_t split : {SIZE_MAX, size_t{100}}) {
    auto session = protected_table(split);
    std::string rows;
    for (int i = 0; i < 1'700; ++i) rows += std::to_string(i) + "\tx\n";
    session.ask(query(kAsk));
    session.postgres.forget_received();
    EXPECT_EQ(session.ask(copy_data(rows) + copy_done()), "C:COPY 1700 Z:I");
    const auto count = [&session](char type) {
      return std::ranges::count(session.postgres.received(), type, &Message::type);
    };
    EXPECT_EQ(count('S'), 1);
    EXPECT_EQ(count('Q'), 0);
    EXPECT_EQ(count('P'), 2);  // of a full batch, and of the last one
    EXPECT_EQ(count('E'), 4);
  }
}

TEST(ClientCopy, MalformedDataFailsWithItsLineAndLeavesNothing) {
  auto session = protected_table();
  session.ask(query(kAsk));
  const std::string answer = session.exchange(copy_data("1\tx\n2\n3\ty\n") + copy_done());
  EXPECT_EQ(session.ask(""), "");
  std::string copy = answer;
  EXPECT_EQ(summary(take_messages(copy)), "E:22P04 Z:I");
  EXPECT_NE(text_of(answer).find("COPY notes, line 2"), std::string::npos);
  EXPECT_NE(text_of(answer).find("missing data for column \"body\""), std::string::npos);
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(ClientCopy, InATransactionAnErrorAbortsIt) {
  auto session = protected_table();
  EXPECT_EQ(session.ask(query("begin")), "C:BEGIN Z:T");
  EXPECT_EQ(session.ask(query(kAsk)), "G");
  EXPECT_EQ(session.ask(copy_data("1\tx\n") + copy_done()), "C:COPY 1 Z:T");
  EXPECT_EQ(session.ask(query(kAsk)), "G");
  EXPECT_EQ(session.ask(copy_data("1\n") + copy_done()), "E:22P04 Z:E");
  EXPECT_EQ(session.ask(query(kAsk) + copy_data("1\tx\n") + copy_done()), "E:25P02 Z:E");
  EXPECT_EQ(session.ask(query("rollback")), "C:ROLLBACK Z:I");
}

TEST(ClientCopy, GivenUpByTheClient) {
  auto session = protected_table();
  session.ask(query(kAsk));
  const std::string answer = session.exchange(copy_data("1\tx\n") + give_up("no more"));
  EXPECT_NE(text_of(answer).find("COPY from stdin failed: no more"), std::string::npos);
  EXPECT_EQ(session.ask(copy_data("2\ty\n") + copy_done() + query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(ClientCopy, ErrorsOfPostgresCarryTheLine) {
  auto session = protected_table();
  session.ask(query(kAsk));
  session.postgres.insert_error_context = "unnamed portal parameter $4 = '...'";
  const std::string answer = session.exchange(copy_data("1\tx\n2\ty\n") + copy_done());
  std::string copy = answer;
  EXPECT_EQ(summary(take_messages(copy)), "E:22012 Z:I");
  EXPECT_NE(text_of(answer).find("COPY notes, line 2, column body"), std::string::npos);
  session.ask(query(kAsk));
  session.postgres.insert_error_context = "PL/pgSQL function x";
  const std::string other = session.exchange(copy_data("1\tx\n2\ty\n") + copy_done());
  EXPECT_NE(text_of(other).find("PL/pgSQL function x\nCOPY notes, lines 1 to 2"),
            std::string::npos);
}

// The client still sends when a batch has failed: PostgreSQL ignores that too.
TEST(ClientCopy, DataBehindAnErrorIsIgnored) {
  auto session = protected_table();
  session.ask(query(kAsk));
  session.postgres.insert_error_context = "x";
  std::string rows;
  for (int i = 0; i < 600; ++i) rows += "1\tx\n";
  EXPECT_EQ(session.ask(copy_data(rows)), "E:22012 Z:I");
  EXPECT_EQ(session.ask(copy_data(rows) + copy_done()), "");
  session.postgres.insert_error_context.clear();
  EXPECT_EQ(session.ask(query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(ClientCopy, SyncAndFlushDoNotEndIt) {
  auto session = protected_table();
  session.ask(query(kAsk));
  EXPECT_EQ(session.ask(sync() + message('H') + copy_data("1\tx\n") + sync() + copy_done()),
            "C:COPY 1 Z:I");
}

TEST(ClientCopy, InterruptedWhileItWaitsForTheClient) {
  auto session = protected_table();
  session.ask(query(kAsk) + copy_data("1\tx\n"));
  EXPECT_TRUE(session.client().interrupt_copy({sqlstate::kQueryCanceled, "too long", ""}));
  EXPECT_EQ(session.ask(copy_data("2\ty\n")), "E:57014 Z:I");
  EXPECT_FALSE(session.client().interrupt_copy({sqlstate::kQueryCanceled, "too long", ""}));
  EXPECT_EQ(session.ask(copy_done() + query("select 1")), "D C:SELECT 1 Z:I");
}

TEST(ClientCopy, ALostServerEndsTheSession) {
  auto session = protected_table();
  session.ask(query(kAsk) + copy_data("1\tx\n"));
  session.lose_server();
  EXPECT_TRUE(session.client().is_finished());
}

}  // namespace
}  // namespace partywall::sql
