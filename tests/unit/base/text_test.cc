#include "base/text.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(ParseInteger, TakesOnlyPlainDecimalNumbers) {
  EXPECT_EQ(parse_integer<uint32_t>("0"), 0u);
  EXPECT_EQ(parse_integer<uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_integer<int32_t>("-17"), -17);
  EXPECT_EQ(parse_integer<uint64_t>("18446744073709551615"), UINT64_MAX);
  for (const char* wrong :
       {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "1_000", "0644", "-01", "--1", "١"}) {
    EXPECT_FALSE(parse_integer<int64_t>(wrong)) << wrong;
  }
}

TEST(ParseInteger, NamesTheBoundsThatAreBroken) {
  EXPECT_FALSE(parse_integer<uint16_t>("65536"));
  EXPECT_FALSE(parse_integer<uint64_t>("18446744073709551616"));
  EXPECT_FALSE(parse_integer<uint64_t>("-1"));
  EXPECT_EQ(parse_integer<int>("11", 1, 10).error().message,
            "11 is out of bounds, it must be 1 to 10");
}

TEST(ParseDuration, TakesWholeNumbersWithAUnit) {
  EXPECT_EQ(parse_duration("300ms"), milliseconds(300));
  EXPECT_EQ(parse_duration("5s"), seconds(5));
  EXPECT_EQ(parse_duration("2m"), minutes(2));
  EXPECT_EQ(parse_duration("1h"), hours(1));
  EXPECT_EQ(parse_duration("7d"), hours(7 * 24));
  EXPECT_EQ(parse_duration("0s"), Duration::zero());
  for (const char* wrong : {"", "5", "s", "5 s", "-5s", "1.5s", "1h30m", "5S", "5sec", "05s",
                            "9999999d", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
  EXPECT_THAT(parse_duration("5").error().message, HasSubstr("such as 500ms"));
}

TEST(FormatDuration, IsReadBackAsTheSame) {
  EXPECT_EQ(format_duration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(seconds(90)), "90s");
  EXPECT_EQ(format_duration(minutes(120)), "2h");
  for (const int64_t count : {0, 1, 59, 60, 999, 1000, 60'000, 3'600'000, 86'400'000, 86'400'001}) {
    EXPECT_EQ(parse_duration(format_duration(milliseconds(count))), milliseconds(count));
  }
}

TEST(ParseSize, CountsIn1024sAndRefusesAmbiguousUnits) {
  EXPECT_EQ(parse_size("0B"), 0u);
  EXPECT_EQ(parse_size("16KiB"), 16u << 10);
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("2TiB"), 2ULL << 40);
  EXPECT_THAT(parse_size("512MB").error().message, HasSubstr("write 512MiB"));
  EXPECT_THAT(parse_size("4kB").error().message, HasSubstr("write 4KiB"));
  for (const char* wrong : {"", "64", "MiB", "64M", "64 MiB", "-1B", "99999999999TiB", "1.5GiB"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
  for (const uint64_t bytes : {0ULL, 1ULL, 1023ULL, 1024ULL, 1025ULL, 64ULL << 20, 1ULL << 50}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
}

TEST(ParseEndpoint, TakesNumericAddressesAndUnixPaths) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:80"), (Endpoint{"127.0.0.1", 80}));
  EXPECT_EQ(parse_endpoint("[::1]:65535"), (Endpoint{"::1", 65535}));
  EXPECT_EQ(parse_endpoint("/run/x.sock"), (Endpoint{"/run/x.sock", 0}));
  for (const char* wrong :
       {"", "127.0.0.1", ":80", "localhost:80", "::1:80", "[127.0.0.1]:80", "127.0.0.1:65536",
        "127.0.0.1:", "127.1:80", "127.0.0.1:080", "[::1]"}) {
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
  }
  EXPECT_FALSE(parse_endpoint("/" + std::string(107, 'x')));
  EXPECT_TRUE(parse_endpoint("/" + std::string(106, 'x')));
}

TEST(CheckIpAddress, IsNotFooledByAnEmbeddedZero) {
  EXPECT_TRUE(check_ip_address("10.0.0.1"));
  EXPECT_FALSE(check_ip_address(std::string_view("10.0.0.1\0x", 10)));
}

TEST(ClosestMatch, FindsTypingMistakes) {
  constexpr std::array<std::string_view, 4> kWords = {"tier", "tenants", "statement_timeout", "id"};
  EXPECT_EQ(closest_match("teir", kWords), "tier");
  EXPECT_EQ(closest_match("tire", kWords), "tier");
  EXPECT_EQ(closest_match("tenant", kWords), "tenants");
  EXPECT_EQ(closest_match("statment_timout", kWords), "statement_timeout");
  EXPECT_EQ(closest_match("password", kWords), "");
  EXPECT_EQ(closest_match("xy", kWords), "");
  EXPECT_EQ(closest_match("", kWords), "");
}

TEST(Suggestion, ListsTheWordsWhereNothingIsNear) {
  constexpr std::array<std::string_view, 2> kWords = {"tier", "slug"};
  EXPECT_EQ(suggestion("teir", kWords), "; did you mean 'tier'?");
  EXPECT_EQ(suggestion("password", kWords), "; known here: tier, slug");
  EXPECT_EQ(suggestion("password", {}), "");
}

}  // namespace
}  // namespace partywall
