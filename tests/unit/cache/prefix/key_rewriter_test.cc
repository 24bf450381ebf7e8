#include "cache/prefix/key_rewriter.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/commands/command_table.h"
#include "cache/prefix/key_walk.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

const std::string kTenantPrefix = "tenant:{t}:";

std::string encode_words(const Words& words) {
  std::string out;
  append_array_header(out, words.size());
  for (const std::string& word : words) append_bulk(out, word);
  return out;
}

Words words_of(const Request& request) {
  Words words;
  ArgumentCursor cursor(request);
  while (const auto word = cursor.next()) words.emplace_back(*word);
  return words;
}

// What comes out, with P for the prefix.
Words rewritten(const Words& words) {
  const std::string bytes = encode_words(words);
  RequestParser parser;
  EXPECT_EQ(parser.parse(bytes, {}), RequestParser::Status::kRequest);
  const CommandRule* rule = find_command(parser.request().name, parser.request().first);
  std::string out;
  append_with_prefixed_keys(out, parser.request(), rule->keys, kTenantPrefix);
  RequestParser again;
  EXPECT_EQ(again.parse(out, {}), RequestParser::Status::kRequest);
  EXPECT_EQ(again.consumed(), out.size());
  Words result = words_of(again.request());
  for (std::string& word : result) {
    if (word.starts_with(kTenantPrefix)) word = "P" + word.substr(kTenantPrefix.size());
  }
  return result;
}

TEST(KeyRewriter, PutsThePrefixBeforeEachKey) {
  EXPECT_THAT(rewritten({"get", "k"}), ElementsAre("get", "Pk"));
  EXPECT_THAT(rewritten({"SET", "k", "v", "EX", "5"}), ElementsAre("SET", "Pk", "v", "EX", "5"));
  EXPECT_THAT(rewritten({"MSET", "a", "1", "b", "2"}), ElementsAre("MSET", "Pa", "1", "Pb", "2"));
  EXPECT_THAT(rewritten({"DEL", "a", "", "c"}), ElementsAre("DEL", "Pa", "P", "Pc"));
  EXPECT_THAT(rewritten({"BLPOP", "a", "b", "0"}), ElementsAre("BLPOP", "Pa", "Pb", "0"));
  EXPECT_THAT(rewritten({"BITOP", "AND", "d", "a", "b"}),
              ElementsAre("BITOP", "AND", "Pd", "Pa", "Pb"));
  EXPECT_THAT(rewritten({"RENAME", "a", "b"}), ElementsAre("RENAME", "Pa", "Pb"));
  EXPECT_THAT(rewritten({"OBJECT", "ENCODING", "k"}), ElementsAre("OBJECT", "ENCODING", "Pk"));
  EXPECT_THAT(rewritten({"XGROUP", "CREATE", "s", "g", "$"}),
              ElementsAre("XGROUP", "CREATE", "Ps", "g", "$"));
  EXPECT_THAT(rewritten({"PING", "k"}), ElementsAre("PING", "k"));
}

TEST(KeyRewriter, CountsKeysWhereTheRequestSaysHowMany) {
  EXPECT_THAT(rewritten({"EVAL", "return 1", "2", "a", "b", "c"}),
              ElementsAre("EVAL", "return 1", "2", "Pa", "Pb", "c"));
  EXPECT_THAT(rewritten({"EVAL", "return 1", "0", "c"}), ElementsAre("EVAL", "return 1", "0", "c"));
  EXPECT_THAT(rewritten({"ZUNIONSTORE", "d", "2", "a", "b", "WEIGHTS", "1", "2"}),
              ElementsAre("ZUNIONSTORE", "Pd", "2", "Pa", "Pb", "WEIGHTS", "1", "2"));
  EXPECT_THAT(rewritten({"LMPOP", "1", "a", "LEFT"}), ElementsAre("LMPOP", "1", "Pa", "LEFT"));
  EXPECT_THAT(rewritten({"BZMPOP", "0", "1", "a", "MIN"}),
              ElementsAre("BZMPOP", "0", "1", "Pa", "MIN"));
}

TEST(KeyRewriter, TreatsEverythingAsAKeyWhereTheCountIsWrong) {
  EXPECT_THAT(rewritten({"EVAL", "x", "3", "a", "b"}), ElementsAre("EVAL", "x", "3", "Pa", "Pb"));
  EXPECT_THAT(rewritten({"EVAL", "x", "-1", "a"}), ElementsAre("EVAL", "x", "-1", "Pa"));
  EXPECT_THAT(rewritten({"EVAL", "x", "99999999999", "a"}),
              ElementsAre("EVAL", "x", "99999999999", "Pa"));
  EXPECT_THAT(rewritten({"LMPOP", "a", "b", "LEFT"}), ElementsAre("LMPOP", "a", "Pb", "PLEFT"));
}

TEST(KeyRewriter, ReadsTheOptionsOfSortAsRedisDoes) {
  EXPECT_THAT(rewritten({"SORT", "k", "BY", "w_*->f", "GET", "#", "GET", "o_*", "STORE", "d"}),
              ElementsAre("SORT", "Pk", "BY", "Pw_*->f", "GET", "#", "GET", "Po_*", "STORE", "Pd"));
  EXPECT_THAT(rewritten({"SORT", "k", "BY", "nosort"}), ElementsAre("SORT", "Pk", "BY", "nosort"));
  // A key that is called like an option, and options as values of options.
  EXPECT_THAT(rewritten({"SORT", "STORE", "BY", "STORE", "store", "STORE"}),
              ElementsAre("SORT", "PSTORE", "BY", "STORE", "store", "PSTORE"));
  EXPECT_THAT(rewritten({"SORT", "k", "LIMIT", "STORE", "x", "STORE", "d"}),
              ElementsAre("SORT", "Pk", "LIMIT", "STORE", "x", "STORE", "Pd"));
  EXPECT_THAT(rewritten({"SORT", "k", "WHAT", "STORE", "d"}),
              ElementsAre("SORT", "Pk", "WHAT", "PSTORE", "Pd"));
}

TEST(KeyRewriter, ReadsTheOptionsOfGeoRadiusAndXReadAsRedisDoes) {
  EXPECT_THAT(rewritten({"GEORADIUS", "k", "1", "2", "STORE", "m", "COUNT", "1", "STORE", "d"}),
              ElementsAre("GEORADIUS", "Pk", "1", "2", "STORE", "m", "COUNT", "1", "STORE", "Pd"));
  EXPECT_THAT(rewritten({"GEORADIUSBYMEMBER", "k", "STORE", "2", "m", "STOREDIST", "d"}),
              ElementsAre("GEORADIUSBYMEMBER", "Pk", "STORE", "2", "m", "STOREDIST", "Pd"));
  EXPECT_THAT(rewritten({"XREAD", "COUNT", "2", "STREAMS", "a", "b", "0", "0"}),
              ElementsAre("XREAD", "COUNT", "2", "STREAMS", "Pa", "Pb", "0", "0"));
  EXPECT_THAT(
      rewritten({"XREADGROUP", "GROUP", "STREAMS", "STREAMS", "NOACK", "STREAMS", "STREAMS", ">"}),
      ElementsAre("XREADGROUP", "GROUP", "STREAMS", "STREAMS", "NOACK", "STREAMS", "PSTREAMS",
                  ">"));
  EXPECT_THAT(rewritten({"XREAD", "STREAMS", "a", "b", "0"}),
              ElementsAre("XREAD", "STREAMS", "Pa", "Pb", "P0"));
}

TEST(KeyRewriter, KnowsWhatSortReads) {
  const auto by_pattern = [](const Words& words) {
    const std::string bytes = encode_words(words);
    RequestParser parser;
    EXPECT_EQ(parser.parse(bytes, {}), RequestParser::Status::kRequest);
    return sort_reads_by_pattern(parser.request(), find_command("sort", "")->keys);
  };
  EXPECT_TRUE(by_pattern({"SORT", "k", "GET", "#"}));
  EXPECT_TRUE(by_pattern({"SORT", "k", "by", "w_*"}));
  EXPECT_FALSE(by_pattern({"SORT", "k", "BY", "nosort", "LIMIT", "0", "1"}));
  EXPECT_FALSE(by_pattern({"SORT", "k", "STORE", "by"}));
  EXPECT_FALSE(by_pattern({"SORT", "GET", "ALPHA", "DESC"}));
}

// Whatever comes in: the same number of arguments comes out, each as it was or with the prefix, and
// the first key of a command that has one is never without it.
TEST(KeyRewriter, ChangesNothingButKeys) {
  SeededRandom random(7);
  const Words vocabulary = {"store", "BY",  "get", "STREAMS", "group", "2",  "1", "0",
                            "count", "key", "#",   "*",       "limit", "-1", "",  "block"};
  for (int round = 0; round < 20'000; ++round) {
    const CommandRule& rule = kCommandRules[random.below(kCommandCount)];
    if (rule.kind == CommandKind::kDenied || rule.shape == CommandShape::kContainer) continue;
    const size_t bar = rule.name.find('|');
    Words words = {std::string(rule.name.substr(0, bar))};
    if (bar != std::string_view::npos) words.emplace_back(rule.name.substr(bar + 1));
    for (uint64_t more = random.below(8); more > 0; --more)
      words.push_back(vocabulary[random.below(vocabulary.size())]);
    const Words out = rewritten(words);
    ASSERT_EQ(out.size(), words.size());
    for (size_t i = 0; i < words.size(); ++i)
      ASSERT_TRUE(out[i] == words[i] || out[i] == "P" + words[i]) << rule.name;
    const bool from_first =
        rule.keys.form == KeyLayout::Form::kRange || rule.keys.form == KeyLayout::Form::kSort;
    const size_t first = rule.keys.form == KeyLayout::Form::kSort ? 1 : rule.keys.first;
    if (from_first && rule.keys.last >= 0 && first < words.size())
      ASSERT_EQ(out[first], "P" + words[first]) << rule.name;
  }
}

}  // namespace
}  // namespace partywall::cache
