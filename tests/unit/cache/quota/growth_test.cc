#include "cache/quota/growth.h"

#include <gtest/gtest.h>

#include "cache/commands/command_table.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

// A request, parsed, and its rule.
struct Parsed {
  explicit Parsed(std::initializer_list<std::string_view> words) : text(make_request(words)) {
    parser.parse(text, {});
    rule = find_command(parser.request().name, parser.request().first);
  }
  [[nodiscard]] Growth growth() const {
    return growth_of(parser.request(), *rule, parser.request().argument_count);
  }
  std::string text;
  RequestParser parser;
  const CommandRule* rule = nullptr;
};

Growth growth(std::initializer_list<std::string_view> words) { return Parsed(words).growth(); }

TEST(Growth, WhatReadsOrRemovesAddsNothing) {
  EXPECT_TRUE(growth({"GET", "a"}).none());
  EXPECT_TRUE(growth({"DEL", "a", "b"}).none());
  EXPECT_TRUE(growth({"EXPIRE", "a", "10"}).none());
  EXPECT_TRUE(growth({"LPOP", "a"}).none());
  EXPECT_TRUE(growth({"EVAL_RO", "return 1", "0"}).none());
  EXPECT_TRUE(growth({"SORT", "a", "ALPHA", "LIMIT", "0", "5"}).none());
  EXPECT_TRUE(growth({"GEORADIUS", "a", "1", "1", "1", "km", "ASC"}).none());
}

TEST(Growth, AWriteAddsAKeyAndNoMoreThanItHolds) {
  const Growth set = growth({"SET", "a", "value"});
  EXPECT_EQ(set.keys, 1U);
  EXPECT_GE(set.bytes, 6U);
  EXPECT_FALSE(set.unsure);
  EXPECT_EQ(growth({"MSET", "a", "1", "b", "2", "c", "3"}).keys, 3U);
  EXPECT_EQ(growth({"SMOVE", "a", "b", "member"}).keys, 1U);
  EXPECT_EQ(growth({"XGROUP", "CREATE", "a", "g", "$", "MKSTREAM"}).keys, 1U);
}

TEST(Growth, AnOffsetMakesAStringThatLong) {
  EXPECT_GE(growth({"SETRANGE", "a", "100000000", "x"}).bytes, 100'000'000U);
  EXPECT_GE(growth({"SETBIT", "a", "4294967295", "1"}).bytes, 512U << 20);
  EXPECT_LE(growth({"SETRANGE", "a", "99999999999999999", "x"}).bytes,
            allocated(512U << 20) + 1'000);
  EXPECT_LE(growth({"SETRANGE", "a", "-1", "x"}).bytes, 1'000U);
}

TEST(Growth, OfScriptsAndWhatIsMadeOfOtherKeysNobodyKnows) {
  EXPECT_TRUE(growth({"EVAL", "return 1", "2", "a", "b"}).unsure);
  EXPECT_TRUE(growth({"FCALL", "f", "0"}).unsure);
  EXPECT_TRUE(growth({"SUNIONSTORE", "a", "b", "c"}).unsure);
  EXPECT_TRUE(growth({"SORT", "a", "STORE", "b"}).unsure);
  EXPECT_TRUE(growth({"GEORADIUS", "a", "1", "1", "1", "km", "STOREDIST", "b"}).unsure);
  EXPECT_EQ(growth({"SUNIONSTORE", "a", "b", "c"}).keys, 1U);
  EXPECT_LE(growth({"EVAL", "return 1", "18446744073709551615", "a"}).keys, 100U);
}

TEST(Growth, WorkingOffAStreamIsCountedAndNeverRefused) {
  const Parsed read({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"});
  EXPECT_GT(read.growth().bytes, 0U);
  EXPECT_FALSE(is_refused_at_quota(read.rule->growth));
}

TEST(Growth, KeysThatMayBeMade) {
  const Parsed mset({"MSET", "a", "1", "b", "2"});
  EXPECT_EQ(keys_it_may_make(mset.parser.request(), *mset.rule),
            (std::vector<std::string_view>{"a", "b"}));
  const Parsed script({"EVAL", "return 1", "1", "a"});
  EXPECT_TRUE(keys_it_may_make(script.parser.request(), *script.rule).empty());
}

// A command that nobody has thought of must not go past the quota.
TEST(Growth, EveryCommandThatMayWriteIsKnownToGrowOrNamedHere) {
  const std::set<std::string_view> shrink_or_stay = {"del",
                                                     "move",
                                                     "unlink",
                                                     "flushdb",
                                                     "flushall",
                                                     "getdel",
                                                     "getex",
                                                     "expire",
                                                     "expireat",
                                                     "pexpire",
                                                     "pexpireat",
                                                     "persist",
                                                     "hdel",
                                                     "hpersist",
                                                     "lpop",
                                                     "rpop",
                                                     "lmpop",
                                                     "blmpop",
                                                     "blpop",
                                                     "brpop",
                                                     "lrem",
                                                     "ltrim",
                                                     "spop",
                                                     "srem",
                                                     "zmpop",
                                                     "bzmpop",
                                                     "bzpopmax",
                                                     "bzpopmin",
                                                     "zpopmax",
                                                     "zpopmin",
                                                     "zrem",
                                                     "zremrangebylex",
                                                     "zremrangebyrank",
                                                     "zremrangebyscore",
                                                     "xack",
                                                     "xdel",
                                                     "xtrim",
                                                     "xgroup|delconsumer",
                                                     "xgroup|destroy",
                                                     "xgroup|setid",
                                                     "rename",
                                                     "renamenx"};
  for (const CommandRule& rule : kCommandRules) {
    if (rule.kind == CommandKind::kDenied || rule.effect == CommandEffect::kReads) continue;
    EXPECT_EQ(rule.growth == CommandGrowth::kNone, shrink_or_stay.contains(rule.name)) << rule.name;
  }
}

}  // namespace
}  // namespace partywall::cache
