#include "cli/output.h"

#include <gmock/gmock.h>

#include "cli/profile.h"
#include "cli/remote.h"

namespace partywall::cli {
namespace {

using ::testing::HasSubstr;

JsonValue json(const char* text) { return JsonValue::parse(text).value(); }

TEST(Table, ColumnsAreAlignedByCharactersAndNothingIsADash) {
  const JsonValue items = json(R"([{"slug":"acme","placement":{"cell":"main"},"n":12},
                                   {"slug":"jörg","placement":null,"n":7},{"slug":"b"}])");
  EXPECT_EQ(
      print_table(*items.as_array(), {{"SLUG", "slug"}, {"CELL", "placement.cell"}, {"N", "n"}}),
      "SLUG  CELL  N\n"
      "acme  main  12\n"
      "jörg  -     7\n"
      "b     -     -\n");
}

// A tenant's name is somebody else's text on an operator's terminal.
TEST(Table, NoTextMovesTheCursor) {
  const JsonValue items = json(R"([{"name":"a\u001b[2Jb\nc"}])");
  EXPECT_EQ(print_table(*items.as_array(), {{"NAME", "name"}}), "NAME\na?[2Jb?c\n");
}

TEST(Printable, NeitherAsciiNorUnicodeControlsRemain) {
  EXPECT_EQ(printable("a\x1b[2J\x7f\n"), "a?[2J??");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J \xC2\xA9 j\xC3\xB6rg"),
            "?2J \xC2\xA9 j\xC3\xB6rg");
}

TEST(Item, MembersAreIndentedBelowWhatHoldsThem) {
  EXPECT_EQ(print_item(json(R"({"slug":"a","limits":{"weight":1,"rate":{"burst":2}},"x":null})")),
            "slug: a\nlimits:\n  weight: 1\n  rate:\n    burst: 2\nx: -\n");
}

TEST(Json, IsIndentedAndTheSameValue) {
  const JsonValue value = json(R"({"a":[1,{"b":"x"}],"c":{},"d":[]})");
  EXPECT_EQ(JsonValue::parse(print_json(value)).value(), value);
  EXPECT_EQ(print_json(value),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"\n    }\n  ],\n  \"c\": {},\n  \"d\": "
            "[]\n}\n");
}

TEST(Yaml, TextsStayTextsWhateverTheyLookLike) {
  EXPECT_EQ(print_yaml(json(
                R"({"a":"no","b":"12","list":[{"x":1,"y":"null"},"z"],"odd key":true,"e":{}})")),
            "a: \"no\"\nb: \"12\"\nlist:\n  - x: 1\n    y: \"null\"\n  - \"z\"\n\"odd key\": "
            "true\ne: {}\n");
}

TEST(Profiles, GoToTextAndBack) {
  Profiles profiles{.current = "prod", .contexts = {}};
  profiles.contexts["prod"] = {.url = "https://x", .token = Secret("pwa_1")};
  const Profiles read = parse_profiles(print_profiles(profiles)).value();
  EXPECT_EQ(read.current, "prod");
  EXPECT_EQ(read.contexts.at("prod").url, "https://x");
  EXPECT_TRUE(read.contexts.at("prod").token.equals("pwa_1"));
  for (const char* text : {"", "[]", R"({"contexts":{"a":{"url":"x"}}})"})
    EXPECT_FALSE(parse_profiles(text).has_value());
}

TEST(Limits, AreNumbersWordsOrRates) {
  EXPECT_EQ(parse_limit_value("50").value(), json("50"));
  EXPECT_EQ(parse_limit_value("0.05").value(), json("0.05"));
  EXPECT_EQ(parse_limit_value("1000/1m+50").value(),
            json(R"({"tokens":1000,"period_ms":60000,"burst":50})"));
  EXPECT_EQ(parse_limit_value("evict").value(), json("\"evict\""));
  for (const char* text : {"", "X", "a b", "\"50\"", "1000/1m", "1000/m+5", "/1m+5", "1/1m+", "{}"})
    EXPECT_FALSE(parse_limit_value(text).has_value()) << text;
  EXPECT_FALSE(parse_limits({"weight"}).has_value());
  EXPECT_EQ(parse_limits({"weight=2"}).value(), json(R"({"weight":2})"));
}

TEST(Kinds, AreFoundBySingularAndPluralAndSuggested) {
  EXPECT_EQ((*find_kind("tenant"))->path, "/v1/tenants");
  EXPECT_EQ((*find_kind("tenants"))->path, "/v1/tenants");
  const auto unknown = find_kind("tenats");
  EXPECT_THAT(unknown.error().message, HasSubstr("did you mean 'tenants'"));
  EXPECT_EQ(unknown.error().exit_code, 2);
}

TEST(EncodeSegment, LeavesNothingThatSeparates) {
  EXPECT_EQ(encode_segment("/a b?c#d%"), "%2Fa%20b%3Fc%23d%25");
  EXPECT_EQ(encode_segment("acme-1.x_y~"), "acme-1.x_y~");
}

}  // namespace
}  // namespace partywall::cli
