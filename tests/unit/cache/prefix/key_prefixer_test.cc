#include "cache/prefix/key_prefixer.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/commands/command_table.h"
#include "cache/prefix/key_rewriter.h"
#include "cache/resp/number.h"
#include "cache/resp/request_stream.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

const std::string kPrefix = "tenant:{t}:";

std::string encode(const std::vector<std::string>& words) {
  std::string out;
  append_array_header(out, words.size());
  for (const std::string& word : words) append_bulk(out, word);
  return out;
}

std::string at_once(const CommandRule& rule, std::string_view bytes) {
  RequestParser parser;
  EXPECT_EQ(parser.parse(bytes, {}), RequestParser::Status::kRequest);
  std::string out;
  append_with_prefixed_keys(out, parser.request(), rule.keys, kPrefix);
  return out;
}

// As a session does it: RequestStream says how far it may go.
std::string in_pieces(const CommandRule& rule, std::string_view bytes, Random& random) {
  const NumberLine count = read_number_line(bytes, 1);
  const auto arguments = static_cast<uint32_t>(count.value);
  std::string out(bytes.substr(0, count.end));
  KeyPrefixer prefixer(rule.keys, arguments, kPrefix);
  RequestStream stream(arguments, count.end);
  bytes.remove_prefix(count.end);
  for (size_t there = 0; !bytes.empty();) {
    there = std::min<size_t>(there + 1 + random.below(200), bytes.size());
    const RequestStream::Step step = stream.feed(bytes.substr(0, there), {});
    EXPECT_NE(step.status, RequestStream::Status::kInvalid);
    prefixer.feed(bytes.substr(0, step.bytes), out);
    bytes.remove_prefix(step.bytes);
    there -= step.bytes;
  }
  return out;
}

TEST(KeyPrefixer, WritesInPiecesWhatIsWrittenAtOnce) {
  SeededRandom random(11);
  const std::vector<std::string> vocabulary = {"store",
                                               "STREAMS",
                                               "group",
                                               "2",
                                               "1",
                                               "0",
                                               "count",
                                               "key",
                                               "GET",
                                               "*",
                                               "-1",
                                               "",
                                               "block",
                                               std::string(64, '1'),
                                               std::string(65, 'k'),
                                               std::string(1'000, 'v')};
  for (int round = 0; round < 20'000; ++round) {
    const CommandRule& rule = kCommandRules[random.below(kCommandCount)];
    if (rule.kind == CommandKind::kDenied || rule.keys.form == KeyLayout::Form::kSort) continue;
    std::vector<std::string> words = {std::string(rule.name.substr(0, rule.name.find('|')))};
    for (uint64_t more = random.below(8); more > 0; --more)
      words.push_back(vocabulary[random.below(vocabulary.size())]);
    const std::string bytes = encode(words);
    ASSERT_EQ(in_pieces(rule, bytes, random), at_once(rule, bytes)) << bytes;
  }
}

// Redis takes no such number, so it may be any key's name.
TEST(KeyPrefixer, BehindANumberThatIsTooLongEverythingIsAKey) {
  SeededRandom random(1);
  const CommandRule& rule = *find_command("lmpop", "");
  const std::string number = std::string(100, '0') + "1";
  EXPECT_EQ(in_pieces(rule, encode({"LMPOP", number, "a", "LEFT"}), random),
            encode({"LMPOP", number, kPrefix + "a", kPrefix + "LEFT"}));
}

}  // namespace
}  // namespace partywall::cache
