#include <unordered_set>

#include <gtest/gtest.h>

#include "base/endpoint.h"
#include "base/hex.h"
#include "base/result.h"
#include "base/strong_id.h"
#include "base/time.h"
#include "base/utf8.h"

// The small value types of base/.
namespace partywall {
namespace {

TEST(Endpoint, Texts) {
  EXPECT_EQ((Endpoint{"127.0.0.1", 80}).to_string(), "127.0.0.1:80");
  EXPECT_EQ((Endpoint{"::1", 8080}).to_string(), "[::1]:8080");
  EXPECT_EQ((Endpoint{"/run/x.sock", 0}).to_string(), "/run/x.sock");
  EXPECT_TRUE((Endpoint{"/run/x.sock", 0}).is_unix());
  EXPECT_FALSE((Endpoint{"127.0.0.1", 80}).is_unix());
  EXPECT_NE((Endpoint{"127.0.0.1", 80}), (Endpoint{"127.0.0.1", 81}));
}

TEST(Hex, DigitsBothWays) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x7F\xA0\xFF", 4)), "007fa0ff");
  for (int value = 0; value < 16; ++value) {
    EXPECT_EQ(hex_value("0123456789abcdef"[value]), value);
    EXPECT_EQ(hex_value("0123456789ABCDEF"[value]), value);
  }
  for (int c = 0; c < 256; ++c) {
    if (std::isxdigit(c) == 0) EXPECT_EQ(hex_value(static_cast<char>(c)), -1) << c;
  }
}

TEST(Result, FailuresCarryKindAndMessage) {
  const Result<int> plain = fail(ErrorKind::kLimit, "full");
  EXPECT_EQ(plain.error().kind, ErrorKind::kLimit);
  EXPECT_EQ(plain.error().message, "full");
  const Result<int> formatted =
      fail(ErrorKind::kInvalid, "{}: no such tier, {} are known", "gold", 3);
  EXPECT_EQ(formatted.error().message, "gold: no such tier, 3 are known");
  const Result<> with_context = fail_with_context("reading the file", formatted.error());
  EXPECT_EQ(with_context.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(with_context.error().message, "reading the file: gold: no such tier, 3 are known");
  // A message with braces is a message, not a pattern.
  EXPECT_EQ(fail(ErrorKind::kInvalid, std::string("a {} b")).error().message, "a {} b");
}

TEST(ErrorKind, EachHasANameOfItsOwn) {
  std::unordered_set<std::string_view> names;
  for (const ErrorKind kind :
       {ErrorKind::kInvalid, ErrorKind::kNotFound, ErrorKind::kDenied, ErrorKind::kLimit,
        ErrorKind::kTimeout, ErrorKind::kClosed, ErrorKind::kUnavailable, ErrorKind::kInternal}) {
    EXPECT_TRUE(names.insert(to_string(kind)).second);
  }
  EXPECT_FALSE(names.contains("unknown"));
}

using AppleId = StrongId<int, struct AppleTag>;
using PearId = StrongId<int, struct PearTag>;
static_assert(!std::is_convertible_v<int, AppleId>);
static_assert(!std::is_convertible_v<AppleId, int>);
static_assert(!std::is_constructible_v<AppleId, PearId>);

TEST(StrongId, ComparesAndHashesLikeItsValue) {
  EXPECT_EQ(AppleId(3), AppleId(3));
  EXPECT_LT(AppleId(3), AppleId(4));
  EXPECT_EQ(AppleId().value(), 0);
  EXPECT_EQ(std::hash<AppleId>()(AppleId(3)), std::hash<int>()(3));
}

TEST(ManualTime, MovesOnlyWhenTold) {
  ManualTime time(WallTime(seconds(100)));
  EXPECT_EQ(time.wall(), WallTime(seconds(100)));
  const MonotonicTime before = time.monotonic();
  time.advance(milliseconds(1'500));
  EXPECT_EQ(time.monotonic() - before, milliseconds(1'500));
  EXPECT_EQ(time.wall(), WallTime(milliseconds(101'500)));
}

TEST(SystemTime, DoesNotGoBackAndIsNotNegative) {
  const SystemTime time;
  const MonotonicTime first = time.monotonic();
  EXPECT_GE(first.time_since_epoch().count(), 0);
  EXPECT_GE(time.monotonic(), first);
  EXPECT_GT(time.wall(), WallTime(seconds(1'700'000'000)));
}

// Every sequence of up to two bytes and a selection of longer ones, against the table of Unicode.
TEST(Utf8, WellFormedSequences) {
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    EXPECT_EQ(utf8_sequence_length(one), first < 0x80 ? 1U : 0U);
    for (int second = 0; second < 256; ++second) {
      const std::string two = one + static_cast<char>(second);
      const bool is_pair = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
      EXPECT_EQ(utf8_sequence_length(two), first < 0x80 ? 1U : is_pair ? 2U : 0U);
    }
  }
  EXPECT_EQ(utf8_sequence_length("\xE0\xA0\x80"), 3U);
  EXPECT_EQ(utf8_sequence_length("\xE0\x9F\xBF"), 0U);  // overlong
  EXPECT_EQ(utf8_sequence_length("\xED\x9F\xBF"), 3U);
  EXPECT_EQ(utf8_sequence_length("\xED\xA0\x80"), 0U);  // a surrogate
  EXPECT_EQ(utf8_sequence_length("\xEF\xBF\xBFx"), 3U);
  EXPECT_EQ(utf8_sequence_length("\xF0\x90\x80\x80"), 4U);
  EXPECT_EQ(utf8_sequence_length("\xF0\x8F\xBF\xBF"), 0U);  // overlong
  EXPECT_EQ(utf8_sequence_length("\xF4\x8F\xBF\xBF"), 4U);
  EXPECT_EQ(utf8_sequence_length("\xF4\x90\x80\x80"), 0U);  // above U+10FFFF
  EXPECT_EQ(utf8_sequence_length("\xF5\x80\x80\x80"), 0U);
  EXPECT_EQ(utf8_sequence_length("\xF0\x90\x80"), 0U);
  EXPECT_EQ(utf8_sequence_length("\xE2\x82"), 0U);
}

}  // namespace
}  // namespace partywall
