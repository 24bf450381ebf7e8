#include "cache/resp/request_parser.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

Words words_of(const Request& request) {
  Words words;
  ArgumentCursor cursor(request);
  while (const auto word = cursor.next()) words.emplace_back(*word);
  return words;
}

struct Parsed {
  std::vector<Words> requests;
  std::string problem;
  size_t left = 0;
};

// Feeds the bytes in pieces, as a session does: what is incomplete stays in front.
Parsed parse_in_pieces(const std::vector<std::string>& pieces, const RequestLimits& limits = {}) {
  Parsed parsed;
  RequestParser parser;
  std::string buffer;
  for (const std::string& piece : pieces) {
    buffer += piece;
    while (true) {
      const auto status = parser.parse(buffer, limits);
      if (status == RequestParser::Status::kInvalid) {
        parsed.problem = parser.problem();
        return parsed;
      }
      if (status == RequestParser::Status::kRequest) {
        const Request& request = parser.request();
        parsed.requests.push_back(words_of(request));
        EXPECT_EQ(request.name, parsed.requests.back()[0]);
        EXPECT_EQ(request.first, request.argument_count > 1 ? parsed.requests.back()[1] : "");
      }
      buffer.erase(0, parser.consumed());
      if (status == RequestParser::Status::kIncomplete) break;
    }
  }
  parsed.left = buffer.size();
  return parsed;
}

Parsed parse(const std::string& bytes, const RequestLimits& limits = {}) {
  return parse_in_pieces({bytes}, limits);
}

TEST(RequestParser, ReadsArraysAndInlineRequests) {
  const Parsed parsed =
      parse("*2\r\n$3\r\nGET\r\n$1\r\na\r\nset  a\t\"b\\x41 \\n\" '\\'c'\r\n\r\n*0\r\nPING\n");
  EXPECT_THAT(parsed.requests,
              ElementsAre(Words{"GET", "a"}, Words{"set", "a", "bA \n", "'c"}, Words{"PING"}));
  EXPECT_EQ(parsed.left, 0u);
  EXPECT_THAT(parsed.problem, IsEmpty());
}

TEST(RequestParser, PassesArraysOnToTheByte) {
  const std::string bytes = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\n\r\n$1\r\r\n";
  RequestParser parser;
  const std::string buffered = bytes + "*1";
  ASSERT_EQ(parser.parse(buffered, {}), RequestParser::Status::kRequest);
  EXPECT_EQ(parser.request().bytes, bytes);
  EXPECT_EQ(parser.consumed(), bytes.size());
}

TEST(RequestParser, GivesTheSameForEverySplit) {
  const std::string bytes =
      "*2\r\n$3\r\nGET\r\n$1\r\na\r\n\r\nset a 'b "
      "c'\r\n*0\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n*1\r\nQUIT\n";
  const Parsed whole = parse(bytes);
  ASSERT_EQ(whole.requests.size(), 4u);
  Parsed bytewise;
  std::vector<std::string> single;
  for (const char byte : bytes) single.emplace_back(1, byte);
  EXPECT_EQ(parse_in_pieces(single).requests, whole.requests);
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); second += 5) {
      const Parsed split = parse_in_pieces(
          {bytes.substr(0, first), bytes.substr(first, second - first), bytes.substr(second)});
      ASSERT_EQ(split.requests, whole.requests) << first << " " << second;
    }
  }
}

TEST(RequestParser, RefusesWhatRedisWouldFrameOtherwise) {
  // Redis skips the two bytes behind an argument and the one behind a count's CR unseen.
  EXPECT_THAT(parse("*1\r\n$4\r\nPINGxx").problem, HasSubstr("CRLF"));
  EXPECT_THAT(parse("*1\rx$4\r\nPING\r\n").problem, HasSubstr("multibulk"));
  for (const char* bytes :
       {"*-1\r\n", "*+1\r\n", "*01\r\n", "*1x\r\n", "*\r\n", "*99999999999\r\n", "*1\n"}) {
    EXPECT_THAT(parse(bytes).problem, HasSubstr("multibulk")) << bytes;
  }
  for (const char* length : {"-1", "+4", "04", "4x", "", "99999999999"}) {
    EXPECT_THAT(parse(std::string("*1\r\n$") + length + "\r\nPING\r\n").problem,
                HasSubstr("bulk length"))
        << length;
  }
  EXPECT_THAT(parse("*1\r\n:4\r\n").problem, HasSubstr("expected '$'"));
  EXPECT_THAT(parse("get \"a\r\n").problem, HasSubstr("quotes"));
  EXPECT_THAT(parse("get \"a\"b\r\n").problem, HasSubstr("quotes"));
}

TEST(RequestParser, KeepsItsLimits) {
  const RequestLimits limits{.max_arguments = 2,
                             .max_argument_bytes = 10,
                             .max_request_bytes = 35,
                             .max_inline_bytes = 12};
  EXPECT_EQ(parse("*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n", limits).requests.size(), 1u);
  EXPECT_THAT(parse("*3\r\n", limits).problem, HasSubstr("multibulk"));
  EXPECT_THAT(parse("*2\r\n$11\r\n", limits).problem, HasSubstr("bulk length"));
  EXPECT_THAT(parse("*2\r\n$10\r\n0123456789\r\n$10\r\n", limits).problem, HasSubstr("too big"));
  EXPECT_THAT(parse("0123456789ABC", limits).problem, HasSubstr("inline"));
  EXPECT_THAT(parse("0123456789ABC\n", limits).problem, HasSubstr("inline"));
  EXPECT_THAT(parse("a b c\n", limits).problem, HasSubstr("multibulk"));
}

TEST(RequestParser, RoundTripsRandomArguments) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    Words words(1 + random() % 6);
    for (std::string& word : words) {
      word.resize(random() % 20);
      for (char& c : word) c = "\r\n$*'\" a0\0"[random() % 11];
    }
    std::string bytes;
    append_array_header(bytes, words.size());
    for (const std::string& word : words) append_bulk(bytes, word);
    const size_t cut = random() % (bytes.size() + 1);
    EXPECT_THAT(parse_in_pieces({bytes.substr(0, cut), bytes.substr(cut)}).requests,
                ElementsAre(words));
  }
}

}  // namespace
}  // namespace partywall::cache
