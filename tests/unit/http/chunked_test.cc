#include "http/message/chunked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/message/body_reader.h"

namespace partywall::http {
namespace {

struct Decoded {
  std::string data;
  std::string trailers;
  ParseStatus status = ParseStatus::kNeedMore;
  std::string fault;
  size_t consumed = 0;
};

// Feeds the pieces one after the other, each as a buffer of its own.
Decoded decode(const std::vector<std::string>& pieces, ChunkedLimits limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded decoded;
  for (const std::string& piece : pieces) {
    std::string_view rest = piece;
    while (!rest.empty() && decoded.status == ParseStatus::kNeedMore) {
      const BodyStep step = decoder.decode(rest);
      decoded.status = step.status;
      decoded.data += step.data;
      decoded.consumed += step.consumed;
      decoded.fault = step.fault;
      if (step.status == ParseStatus::kNeedMore && step.consumed == 0)
        ADD_FAILURE() << "no progress";
      rest.remove_prefix(step.consumed);
    }
  }
  for (const Field& field : decoder.trailers()) {
    decoded.trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
  }
  return decoded;
}

const std::string kMessage =
    "5\r\nhello\r\n1;name=value;\"q\"\r\n \r\n00A\r\n0123456789\r\n0;x\r\nX-A: "
    "b\r\nX-C:\r\n\r\nnext";

TEST(Chunked, Rfc9112_7_1_Decodes) {
  const Decoded decoded = decode({kMessage});
  EXPECT_EQ(decoded.status, ParseStatus::kComplete);
  EXPECT_EQ(decoded.data, "hello 0123456789");
  EXPECT_EQ(decoded.trailers, "X-A=b;X-C=;");
  EXPECT_EQ(kMessage.substr(decoded.consumed), "next");
}

TEST(Chunked, EverySplitGivesTheSame) {
  const Decoded whole = decode({kMessage});
  for (size_t first = 0; first <= kMessage.size(); ++first) {
    for (size_t second = first; second <= kMessage.size(); ++second) {
      const Decoded split =
          decode({kMessage.substr(0, first), kMessage.substr(first, second - first),
                  kMessage.substr(second)});
      ASSERT_EQ(split.data, whole.data) << first << " " << second;
      ASSERT_EQ(split.trailers, whole.trailers) << first << " " << second;
      ASSERT_EQ(split.consumed, whole.consumed) << first << " " << second;
    }
  }
}

TEST(Chunked, EveryPrefixIsIncomplete) {
  for (size_t length = 0; length < kMessage.size() - 4; ++length) {
    EXPECT_EQ(decode({kMessage.substr(0, length)}).status, ParseStatus::kNeedMore) << length;
  }
}

class BadChunked : public testing::TestWithParam<std::string_view> {};

TEST_P(BadChunked, IsRefusedInOneAndByteByByte) {
  const std::string bytes(GetParam());
  EXPECT_EQ(decode({bytes}).status, ParseStatus::kInvalid);
  std::vector<std::string> pieces;
  for (const char c : bytes) pieces.emplace_back(1, c);
  EXPECT_EQ(decode(pieces).status, ParseStatus::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9112_7_1, BadChunked,
    testing::Values("\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\na\r\n0\r\n\r\n", " 5\r\nhello\r\n",
                    "5 \r\nhello\r\n", "5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\n",
                    "5\r\nhello\r0\r\n\r\n", "5\rhello\r\n", "5;a\nhello", "5;a\x01\r\nhello",
                    "ffffffffffffffff\r\n", "10000000000000000\r\n", ";a\r\n",
                    "5\r\nhellooo\r\n0\r\n\r\n", "0\r\nX : a\r\n\r\n", "0\r\nX: a\n\r\n",
                    "0\r\n X: a\r\n\r\n", "0\r\n\n"));

TEST(Chunked, LimitsOfSizeLinesExtensionsAndTrailers) {
  const std::string long_line = "5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n";
  EXPECT_EQ(decode({long_line}).status, ParseStatus::kInvalid);
  EXPECT_EQ(decode({long_line}, {.max_size_line_bytes = 400}).status, ParseStatus::kComplete);

  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;aaaaaaaaaa\r\nx\r\n";
  EXPECT_EQ(decode({many + "0\r\n\r\n"}).status, ParseStatus::kComplete);
  EXPECT_EQ(decode({many}, {.max_extension_bytes = 500}).status, ParseStatus::kInvalid);

  const std::string trailer = "0\r\nX: " + std::string(100, 'a');
  EXPECT_EQ(decode({trailer}, {.trailers = {.max_bytes = 50}}).status, ParseStatus::kInvalid);
  EXPECT_EQ(decode({trailer, "\r\n\r\n"}, {.trailers = {.max_bytes = 200}}).status,
            ParseStatus::kComplete);
}

TEST(Chunked, WhatIsWrittenIsRead) {
  std::string out;
  append_chunk(out, "hello");
  append_chunk(out, "");
  append_chunk(out, std::string(1000, 'x'));
  append_last_chunk(out, "X-A: b\r\n");
  const Decoded decoded = decode({out});
  EXPECT_EQ(decoded.status, ParseStatus::kComplete);
  EXPECT_EQ(decoded.data, "hello" + std::string(1000, 'x'));
  EXPECT_EQ(decoded.trailers, "X-A=b;");
  EXPECT_EQ(decoded.consumed, out.size());
}

TEST(BodyReader, EndsWhereItsFramingSays) {
  BodyReader none;
  EXPECT_TRUE(none.complete());

  BodyReader length(Framing{FramingKind::kLength, 5});
  EXPECT_EQ(length.read("hel").data, "hel");
  EXPECT_FALSE(length.complete());
  EXPECT_FALSE(length.end());
  const BodyStep last = length.read("lonext");
  EXPECT_EQ(last.data, "lo");
  EXPECT_EQ(last.consumed, 2U);
  EXPECT_EQ(last.status, ParseStatus::kComplete);

  BodyReader until_close(Framing{FramingKind::kUntilClose, 0});
  EXPECT_EQ(until_close.read("abc").data, "abc");
  EXPECT_FALSE(until_close.complete());
  EXPECT_TRUE(until_close.end());

  BodyReader chunked(Framing{FramingKind::kChunked, 0});
  EXPECT_FALSE(chunked.end());
}

}  // namespace
}  // namespace partywall::http
