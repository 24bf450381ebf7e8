#include "sql/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall::sql {

void PrintTo(StatementKind kind, std::ostream* out) { *out << to_string(kind); }

namespace {

using enum StatementKind;
using ::testing::ElementsAre;

Statement only(std::string_view sql, SqlSyntax syntax = {}) {
  QueryShape shape = read_query_shape(sql, syntax);
  EXPECT_FALSE(shape.has_more) << sql;
  return shape.first;
}

StatementKind kind_of(std::string_view sql) { return only(sql).kind; }

std::vector<std::string> split(std::string_view sql, SqlSyntax syntax = {}) {
  std::vector<std::string> texts;
  StatementReader reader(sql, syntax);
  while (auto statement = reader.next()) texts.emplace_back(statement->text);
  return texts;
}

struct Case {
  StatementKind kind;
  std::string_view sql;
  std::string_view name = "";
};

const std::vector<Case> kCases{
    {kEmpty, ""},
    {kEmpty, " -- nothing\n ; /* at /* all */ */ ;"},
    {kBegin, "BEGIN"},
    {kBegin, "begin work"},
    {kBegin, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY NOT DEFERRABLE"},
    {kBegin, "BEGIN READ WRITE"},
    {kBegin, "START TRANSACTION ISOLATION LEVEL read committed"},
    {kBegin, "begin isolation level read uncommitted deferrable"},
    {kBegin, "/* c */ BEGIN -- c"},
    {kOther, "BEGIN foo"},
    {kOther, "BEGIN READ"},
    {kOther, "BEGIN READ ONLY,"},
    {kOther, "BEGIN , READ ONLY"},
    {kOther, "BEGIN NOT"},
    {kOther, "BEGIN ISOLATION LEVEL READ ONLY"},
    {kOther, "BEGIN WORK TRANSACTION"},
    {kOther, "START"},
    {kOther, "START WORK"},
    {kOther, "\"begin\""},
    {kCommit, "COMMIT"},
    {kCommit, "commit transaction and no chain;"},
    {kCommit, "END WORK"},
    {kCommitAndChain, "COMMIT AND CHAIN"},
    {kCommitAndChain, "END AND CHAIN"},
    {kOther, "COMMIT AND"},
    {kOther, "COMMIT CHAIN"},
    {kOther, "COMMIT now"},
    {kCommitPrepared, "COMMIT PREPARED 'x'"},
    {kRollback, "ROLLBACK"},
    {kRollback, "ABORT TRANSACTION"},
    {kRollbackAndChain, "ROLLBACK WORK AND CHAIN"},
    {kRollbackAndChain, "ABORT AND CHAIN"},
    {kRollbackTo, "ROLLBACK TO sp", "sp"},
    {kRollbackTo, "ROLLBACK TRANSACTION TO SAVEPOINT \"S P\"", "S P"},
    {kRollbackTo, "ROLLBACK TO savepoint", "savepoint"},
    {kOther, "ROLLBACK TO"},
    {kOther, "ABORT TO sp"},
    {kRollbackPrepared, "ROLLBACK PREPARED 'x'"},
    {kSavepoint, "SAVEPOINT Sp", "sp"},
    {kOther, "SAVEPOINT"},
    {kOther, "SAVEPOINT a b"},
    {kRelease, "RELEASE sp", "sp"},
    {kRelease, "RELEASE SAVEPOINT sp", "sp"},
    {kPrepareTransaction, "PREPARE TRANSACTION 'x'"},
    {kPrepare, "PREPARE transaction AS SELECT 1", "transaction"},
    {kPrepare, "PREPARE \"My\" (int) AS SELECT $1", "My"},
    {kExecute, "EXECUTE p(1)", "p"},
    {kDeallocate, "DEALLOCATE p", "p"},
    {kDeallocate, "DEALLOCATE PREPARE p", "p"},
    {kDeallocate, "DEALLOCATE ALL"},
    {kDeallocate, "DEALLOCATE PREPARE ALL"},
    {kDeallocate, "DEALLOCATE \"all\"", "all"},
    {kSetTransaction, "SET TRANSACTION READ ONLY"},
    {kSetTransaction, "SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE"},
    {kSetTransaction, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"},
    {kOther, "SET CONSTRAINTS ALL DEFERRED"},
    {kSet, "SET search_path = a, b", "search_path"},
    {kSet, "SET LOCAL Work_Mem TO '1MB'", "work_mem"},
    {kSet, "SET SESSION \"Custom\".Thing = 1", "custom.thing"},
    {kSet, "SET session.thing = 1", "session.thing"},
    {kSet, "SET TIME ZONE LOCAL", "timezone"},
    {kSet, "SET LOCAL TIME ZONE 'UTC'", "timezone"},
    {kSet, "SET NAMES 'UTF8'", "client_encoding"},
    {kSet, "SET SCHEMA 'a'", "search_path"},
    {kSet, "SET app.current_tenants = 'x'", "app.current_tenants"},
    {kReset, "RESET search_path", "search_path"},
    {kReset, "RESET TIME ZONE", "timezone"},
    {kReset, "RESET \"all\"", "all"},
    {kResetAll, "RESET ALL"},
    {kShow, "SHOW app.current_tenant", "app.current_tenant"},
    {kShow, "SHOW TIME ZONE", "timezone"},
    {kSetRole, "SET ROLE other", "role"},
    {kSetRole, "SET SESSION ROLE NONE", "role"},
    {kSetRole, "SET LOCAL role = 'x'", "role"},
    {kSetRole, "RESET ROLE", "role"},
    {kSetSessionAuthorization, "SET SESSION AUTHORIZATION x", "session_authorization"},
    {kSetSessionAuthorization, "SET LOCAL SESSION AUTHORIZATION DEFAULT", "session_authorization"},
    {kSetSessionAuthorization, "SET session_authorization TO x", "session_authorization"},
    {kSetSessionAuthorization, "RESET SESSION AUTHORIZATION", "session_authorization"},
    {kDiscardAll, "DISCARD ALL"},
    {kDiscardSequences, "DISCARD SEQUENCES"},
    {kDiscardOther, "DISCARD TEMP"},
    {kDiscardOther, "DISCARD PLANS"},
    {kListen, "LISTEN \"Chan\"", "Chan"},
    {kUnlisten, "UNLISTEN chan", "chan"},
    {kUnlisten, "UNLISTEN *"},
    {kNotify, "NOTIFY chan, 'payload'", "chan"},
    {kDeclareWithHold, "DECLARE c INSENSITIVE NO SCROLL CURSOR WITH HOLD FOR SELECT 1", "c"},
    {kOther, "DECLARE c CURSOR FOR SELECT 1"},
    {kOther, "DECLARE c CURSOR WITHOUT HOLD FOR WITH hold AS (SELECT 1) SELECT 1"},
    {kCopy, "COPY t FROM STDIN"},
    {kCreateTemp, "CREATE TEMP TABLE t (a int)"},
    {kCreateTemp, "CREATE OR REPLACE LOCAL TEMPORARY VIEW v AS SELECT 1"},
    {kOther, "CREATE TABLE temp (a int)"},
    {kSelect, "SELECT 1"},
    {kSelect, "WITH a AS (SELECT 1) DELETE FROM t"},
    {kSelect, "(SELECT 1)"},
    {kSelect, "VALUES (1)"},
    {kSet, "SELECT set_config('Other.setting', 'x', true)", "other.setting"},
    {kSet, "SELECT set_config('other.setting', 'x' || 'y', true), 1", "other.setting"},
    {kCloseAll, "close all"},
    {kOther, "close one"},
    {kOther, "close all of_them"},
    {kUnlockAll, "SELECT pg_advisory_unlock_all()"},
    {kUnlockAll, "SELECT pg_catalog.pg_advisory_unlock_all();"},
    {kSelect, "SELECT pg_advisory_unlock_all(), 1"},
    {kSelect, "SELECT my.set_config('app.current_tenant', 'x', true)"},
    {kSelect, "SELECT \"SET_CONFIG\"('app.current_tenant', 'x', true)"},
    {kChange, "UPDATE t SET app = 1"},
    {kChange, "insert INTO t VALUES (1)"},
    {kChange, "DELETE FROM t"},
    {kChange, "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE"},
    {kOther, "DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$"},
    {kOther, "CALL p()"},
    {kOther, "DO $$ BEGIN PERFORM 1; END $$"},
    {kOther, "beginning"},
    {kOther, "E'begin'"},
    {kOther, "42"},
    {kOther, "{"},
};

TEST(Statement, IsOfItsKind) {
  for (const Case& one : kCases) {
    const Statement statement = only(one.sql);
    EXPECT_EQ(statement.kind, one.kind) << one.sql;
    EXPECT_EQ(statement.name, one.name) << one.sql;
    EXPECT_FALSE(statement.setting) << one.sql;
  }
}

TEST(Statement, SetLocalHasTheScopeOfATransaction) {
  EXPECT_EQ(only("SET LOCAL work_mem = 1").scope, SettingScope::kTransaction);
  EXPECT_EQ(only("SET SESSION work_mem = 1").scope, SettingScope::kSession);
  EXPECT_EQ(only("SET work_mem = 1").scope, SettingScope::kSession);
  EXPECT_EQ(only("SET local.work_mem = 1").scope, SettingScope::kSession);
  EXPECT_EQ(only("SET TRANSACTION READ ONLY").scope, SettingScope::kTransaction);
  EXPECT_EQ(only("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").scope,
            SettingScope::kSession);
}

struct TenantCase {
  std::string_view sql;
  SettingScope scope;
  std::string_view value;
};

TEST(Statement, SetTenant) {
  using enum SettingScope;
  for (const TenantCase& one : std::vector<TenantCase>{
           {"SET app.current_tenant = 'x'", kSession, "x"},
           {"SET LOCAL app.current_tenant='it''s'", kTransaction, "it's"},
           {"SET SESSION app.current_tenant TO 'x';", kSession, "x"},
           {"set local App.Current_Tenant to E'x'", kTransaction, "x"},
           {"SET LOCAL \"app\".\"CURRENT_tenant\" = $$x$y$$", kTransaction, "x$y"},
           {"SET LOCAL \"app.current_tenant\" = $q$x$q$", kTransaction, "x"},
           {"SET LOCAL app.current_tenant = Acme", kTransaction, "acme"},
           {"SET LOCAL app.current_tenant = \"Acme\"", kTransaction, "Acme"},
           {"SET/**/LOCAL/* /* */ */app . current_tenant--\n= 'x' -- end", kTransaction, "x"},
           {"SET app.current_tenant = ''", kSession, ""},
       }) {
    const Statement statement = only(one.sql);
    ASSERT_EQ(statement.kind, kSetTenant) << one.sql;
    EXPECT_EQ(std::get<std::string>(statement.setting->value), one.value) << one.sql;
    EXPECT_EQ(std::get<SettingScope>(statement.setting->scope), one.scope) << one.sql;
  }
}

TEST(Statement, WhatIsNotUnderstoodCompletelyDoesNotBind) {
  for (const std::string_view sql : {
           "SET app.current_tenant",
           "SET app.current_tenant =",
           "SET app.current_tenant 'x'",
           "SET app.current_tenant == 'x'",
           "SET app.current_tenant := 'x'",
           "SET app.current_tenant = 'x', 'y'",
           "SET app.current_tenant = 'x' 'y'",
           "SET app.current_tenant = 'x'\n'y'",
           "SET app.current_tenant = 5",
           "SET app.current_tenant = -5",
           "SET app.current_tenant = $1",
           "SET app.current_tenant = U&'\\0061'",
           "SET app.current_tenant = U&\"\\0061\"",
           "SET app.current_tenant = E'\\x61'",
           "SET app.current_tenant = N'x'",
           "SET app.current_tenant = B'1'",
           "SET app.current_tenant = 'x",
           "SET app.current_tenant = 'x' /*",
           "SET app.current_tenant = $a$x$b$",
           "SET app.current_tenant FROM CURRENT",
           "SET app.current_tenant TO DEFAULT, 'x'",
           "RESET app.current_tenant now",
           "SELECT set_config('app.current_tenant')",
           "SELECT set_config('app.current_tenant', 'x')",
           "SELECT set_config('app.current_tenant', 'x', maybe)",
           "SELECT set_config('app.current_tenant', 'x', 'o')",
           "SELECT set_config('app.current_tenant', 'x' || 'y', true)",
           "SELECT set_config('app.current_tenant', 'x'::uuid, true)",
           "SELECT set_config('app.current_tenant', NULL, true)",
           "SELECT set_config('app.current_tenant', (SELECT 'x'), true)",
           "SELECT set_config('app.current_tenant', 'x', true), 1",
           "SELECT set_config('app.current_tenant', 'x', true) FROM t",
           "SELECT set_config('app.current_tenant', 'x', true) WHERE false",
           "SELECT set_config('app.current_tenant', 'x', true) ISNULL",
           "SELECT set_config('app.current_tenant', 'x', true)::int",
           "SELECT set_config('app.current_tenant', 'x', true) || 'y'",
           "SELECT set_config('app.current_tenant', 'x', true) AS",
           "SELECT set_config('app.current_tenant', 'x', true) UNION SELECT 1",
           "SELECT set_config('app.current_tenant', 'x', true",
           "SELECT set_config('app.current_tenant', $0, true)",
           "SELECT set_config('app.current_tenant', $65536, true)",
           "SELECT set_config('app.current_tenant', CAST('x' AS uuid), true)",
       }) {
    const Statement statement = only(sql);
    EXPECT_EQ(statement.kind, kUnclearTenantSetting) << sql;
    EXPECT_FALSE(statement.setting) << sql;
  }
  EXPECT_EQ(
      kind_of("SET app.current_tenant = '" + std::string(kMaxRecognisedValueLength, 'x') + "'"),
      kUnclearTenantSetting);
}

TEST(Statement, FormsThatAreNotLookedIntoDoNotBindEither) {
  for (const std::string_view sql : {
           "SELECT U&\"set_config\"('app.current_tenant', 'x', true)",
           "SELECT set_config(U&'app.current_tenant', 'x', true)",
           "SELECT set_config(setting_name => 'app.current_tenant', new_value => 'x', is_local => "
           "true)",
           "SELECT (set_config('app.current_tenant', 'x', true))",
           "(SELECT set_config('app.current_tenant', 'x', true))",
           "SELECT ALL set_config('app.current_tenant', 'x', true)",
           "WITH a AS (SELECT set_config('app.current_tenant', 'x', true)) SELECT * FROM a",
           "SELECT 1, set_config('app.current_tenant', 'x', true)",
       }) {
    EXPECT_EQ(kind_of(sql), kSelect) << sql;
  }
  EXPECT_EQ(kind_of("DO $$ BEGIN SET LOCAL app.current_tenant = 'x'; END $$"), kOther);
  EXPECT_EQ(kind_of("EXPLAIN ANALYZE SELECT set_config('app.current_tenant', 'x', true)"), kOther);
}

TEST(Statement, SelectSetConfig) {
  using enum SettingScope;
  struct One {
    std::string_view sql;
    SettingScope scope;
    std::string_view column = "set_config";
  };
  for (const One& one : std::vector<One>{
           {"SELECT set_config('app.current_tenant', 'x', true)", kTransaction},
           {"select pg_catalog . set_config ( 'App.Current_Tenant' , 'x' , FALSE ) ;", kSession},
           {"SELECT \"pg_catalog\".\"set_config\"('app.current_tenant', 'x', 't')", kTransaction},
           {"SELECT Set_Config('app.current_tenant'::text, 'x'::varchar, '0'::bool)", kSession},
           {"SELECT set_config('app.current_tenant'::pg_catalog.text, CAST('x' AS text), CAST(true "
            "AS boolean))",
            kTransaction},
           {"SELECT set_config('app.current_tenant'::character varying, 'x', TRUE::boolean)::text",
            kTransaction},
           {"SELECT set_config('app.current_tenant', 'x', true) AS \"Tenant Set\"", kTransaction,
            "Tenant Set"},
           {"SELECT set_config('app.current_tenant', 'x', true) AS select", kTransaction, "select"},
           {"SELECT set_config('app.current_tenant', 'x', true) Alias", kTransaction, "alias"},
       }) {
    const Statement statement = only(one.sql);
    ASSERT_EQ(statement.kind, kSelectSetConfig) << one.sql;
    EXPECT_EQ(std::get<std::string>(statement.setting->value), "x");
    EXPECT_EQ(std::get<SettingScope>(statement.setting->scope), one.scope) << one.sql;
    EXPECT_EQ(statement.setting->column, one.column) << one.sql;
  }
}

TEST(Statement, SelectSetConfigWithParameters) {
  const Statement one = only("SELECT set_config('app.current_tenant', $1, true)");
  ASSERT_EQ(one.kind, kSelectSetConfig);
  EXPECT_EQ(std::get<ParameterNumber>(one.setting->value).number, 1);

  // As asyncpg's dialect of SQLAlchemy writes it.
  const Statement all =
      only("SELECT set_config($1::VARCHAR, $2::VARCHAR, $3::BOOLEAN) AS set_config_1");
  ASSERT_EQ(all.kind, kSelectSetConfig);
  EXPECT_EQ(std::get<ParameterNumber>(all.setting->name).number, 1);
  EXPECT_EQ(std::get<ParameterNumber>(all.setting->value).number, 2);
  EXPECT_EQ(std::get<ParameterNumber>(all.setting->scope).number, 3);
  EXPECT_EQ(all.setting->column, "set_config_1");
}

TEST(Statement, ResetTenant) {
  EXPECT_EQ(kind_of("RESET app.current_tenant"), kResetTenant);
  EXPECT_EQ(kind_of("reset \"APP\".current_tenant;"), kResetTenant);
  EXPECT_EQ(only("SET LOCAL app.current_tenant TO DEFAULT").scope, SettingScope::kTransaction);
  EXPECT_EQ(kind_of("SET app.current_tenant = default"), kResetTenant);
  EXPECT_EQ(kind_of("SET app.current_tenant = \"default\""), kSetTenant);
}

TEST(Statement, SplitsAtSemicolonsThatEndStatements) {
  EXPECT_THAT(split("a;b"), ElementsAre("a", "b"));
  EXPECT_THAT(split(" ; a ;; b -- c\n ; "), ElementsAre("a", "b -- c"));
  EXPECT_THAT(split("a ';' ; b"), ElementsAre("a ';'", "b"));
  EXPECT_THAT(split("a 'it'';' ; b"), ElementsAre("a 'it'';'", "b"));
  EXPECT_THAT(split(R"(a '\'; b)"), ElementsAre(R"(a '\')", "b"));
  EXPECT_THAT(split(R"(a '\'; b')", {.standard_conforming_strings = false}),
              ElementsAre(R"(a '\'; b')"));
  EXPECT_THAT(split(R"(a E'\';' ; b)"), ElementsAre(R"(a E'\';')", "b"));
  EXPECT_THAT(split("a E'x'\n'\\';' ; b"), ElementsAre("a E'x'\n'\\';'", "b"))
      << "continued by the first part's rules";
  EXPECT_THAT(split("a E'x' -- c\n -- d\n '\\';' ; b"),
              ElementsAre("a E'x' -- c\n -- d\n '\\';'", "b"));
  EXPECT_THAT(split("a E'x' '\\'; b"), ElementsAre("a E'x' '\\'", "b"))
      << "no line break: two literals";
  EXPECT_THAT(split("a \";\" ; b"), ElementsAre("a \";\"", "b"));
  EXPECT_THAT(split("a $$;$$ ; b"), ElementsAre("a $$;$$", "b"));
  EXPECT_THAT(split("a $x$;$$;$y$;$x$ ; b"), ElementsAre("a $x$;$$;$y$;$x$", "b"));
  EXPECT_THAT(split("a$$;$$"), ElementsAre("a$$", "$$")) << "a dollar sign inside an identifier";
  EXPECT_THAT(split("1$$;$$;b"), ElementsAre("1$$;$$", "b"));
  EXPECT_THAT(split("a /* ; /* ; */ ; */ ; b"), ElementsAre("a /* ; /* ; */ ; */", "b"));
  EXPECT_THAT(split("a -- ;\n ; b"), ElementsAre("a -- ;", "b"));
  EXPECT_THAT(split("a +-- ;\n ; b"), ElementsAre("a +-- ;", "b"))
      << "a comment behind an operator";
  EXPECT_THAT(split("a */* ; */ ; b"), ElementsAre("a */* ; */", "b"));
  EXPECT_THAT(split("CREATE RULE r AS ON INSERT TO t DO (a; b); c"),
              ElementsAre("CREATE RULE r AS ON INSERT TO t DO (a; b)", "c"));
  EXPECT_THAT(split("CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 END; "
                    "SELECT 2; END; c"),
              ElementsAre("CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 "
                          "END; SELECT 2; END",
                          "c"));
  EXPECT_THAT(split("BEGIN; a; END; b"), ElementsAre("BEGIN", "a", "END", "b"));
  EXPECT_THAT(split("a 'open; b"), ElementsAre("a 'open; b"));
  EXPECT_THAT(split("a; b /* open; c"), ElementsAre("a", "b /* open; c"));
}

TEST(Statement, EmptyStatementsCountOnlyAlone) {
  StatementReader reader(" ;; ");
  EXPECT_EQ(reader.next()->kind, kEmpty);
  EXPECT_FALSE(reader.next());
}

TEST(Statement, ATextThatCannotBeReadIsOneOther) {
  const std::string with_zero("SET app.current_tenant = 'x'\0; SELECT 1", 39);
  EXPECT_EQ(kind_of(with_zero), kOther);
  const SqlSyntax sjis{.ascii_safe_encoding = is_ascii_safe_encoding("SJIS")};
  EXPECT_EQ(only("SET app.current_tenant = 'x'", sjis).kind, kSetTenant);
  EXPECT_EQ(only("SET app.current_tenant = '\x83\x5C'", sjis).kind, kOther);
  EXPECT_EQ(only("SET app.current_tenant = '\xC3\xA4'").kind, kSetTenant);
}

// Tokens as a client may write them, each with the blanks that it needs.
std::string shuffle_spelling(std::string_view sql, Random& random) {
  static constexpr std::array<std::string_view, 6> kBlanks{
      " ", "\n", "\t ", "/**/", " -- c;'\"$$\n", " /* ; /*'*/ \" */ "};
  std::string out;
  bool in_quotes = false;
  for (const char c : sql) {
    if (c == '\'' || c == '"') in_quotes = !in_quotes;
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == ' ' && !in_quotes) {
      out += kBlanks[random.below(kBlanks.size())];
    } else if (is_letter && !in_quotes && random.below(2) == 0) {
      out += static_cast<char>(c ^ 0x20);
    } else {
      out += c;
    }
  }
  return out;
}

TEST(StatementProperty, SpellingBlanksAndCommentsDoNotMatter) {
  SeededRandom random(7);
  for (int round = 0; round < 20; ++round) {
    for (const Case& one : kCases) {
      if (one.sql.find_first_of("/-$\\") != one.sql.npos || one.kind == kEmpty) continue;
      const std::string sql = shuffle_spelling(one.sql, random);
      EXPECT_EQ(kind_of(sql), one.kind) << sql;
    }
  }
}

TEST(StatementProperty, TheStatementsOfATextAreTheOnesItWasMadeOf) {
  static const std::vector<std::string> kParts{"SELECT 1",
                                               "SELECT ';'",
                                               "SELECT E'\\';'",
                                               "SELECT $$;$$",
                                               "SELECT $a$;$$;$a$",
                                               "SELECT \";\"",
                                               "SELECT 1 /* ; */",
                                               "SELECT 1 -- ;\n+ 1",
                                               "BEGIN",
                                               "SET LOCAL app.current_tenant = 'x'",
                                               "CREATE RULE r AS ON INSERT TO t DO (a; b)",
                                               "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END",
                                               "SELECT U&';\\0027' || U&\"a;b\"",
                                               "SELECT x';' || b';'",
                                               "SELECT 'a'\n'b;'"};
  SeededRandom random(11);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> expected;
    std::string sql;
    for (size_t i = 0, count = 1 + random.below(5); i < count; ++i) {
      expected.push_back(kParts[random.below(kParts.size())]);
      sql += expected.back();
      if (i + 1 < count || random.below(2) == 0)
        sql += random.below(2) == 0 ? ";" : " ; /* ; */ ;\n";
    }
    ASSERT_EQ(split(sql), expected) << sql;
    ASSERT_EQ(read_query_shape(sql).has_more, expected.size() > 1) << sql;
  }
}

TEST(StatementProperty, EveryBeginningOfATextIsReadWithoutHarm) {
  for (const Case& one : kCases) {
    for (size_t length = 0; length <= one.sql.size(); ++length) {
      const auto texts = split(one.sql.substr(0, length));
      size_t total = 0;
      for (const std::string& text : texts) total += text.size();
      EXPECT_LE(total, length);
    }
  }
}

}  // namespace
}  // namespace partywall::sql
