#include <gmock/gmock.h>

#include "admin/api/authenticator.h"
#include "admin/api/json_body.h"
#include "admin/api/query.h"

namespace partywall::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Request with_body(std::string body, std::string type = "application/json") {
  return {.method = "POST",
          .path = "/",
          .raw_path = "/",
          .headers = {{"content-type", std::move(type)}},
          .body = std::move(body)};
}

TEST(ParseBody, TakesJsonOnlyAndNoMemberTwice) {
  EXPECT_TRUE(parse_body(with_body("{}", "application/json; charset=utf-8")).has_value());
  EXPECT_EQ(parse_body(with_body("{}", "text/plain")).error().status, 415);
  EXPECT_EQ(parse_body({.method = "POST", .body = "{}"}).error().status, 415);
  for (const char* body : {"", "{", R"({"a":1,"a":2})", R"({"a":1}x)", "{'a':1}"})
    EXPECT_EQ(parse_body(with_body(body)).error().status, 400) << body;
  EXPECT_EQ(parse_body(with_body(std::string(40, '[') + std::string(40, ']'))).error().status, 400);
}

TEST(JsonReader, NamesThePlaceOfTheFirstProblem) {
  const auto read = [](const char* text) {
    const JsonValue value = JsonValue::parse(text).value();
    JsonReader reader(value, "tenants[3]");
    (void)reader.required_text("slug");
    (void)reader.number("count", 1, 9);
    (void)reader.flag("on");
    (void)reader.time("until");
    const auto done = reader.result();
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(read(R"({"slug":"a","count":9,"on":true,"until":"2026-01-01T00:00:00Z"})"), "");
  EXPECT_EQ(read(R"({"slug":"a","count":null})"), "");
  EXPECT_EQ(read("{}"), "tenants[3].slug is missing");
  EXPECT_THAT(read(R"({"slug":7})"), HasSubstr("tenants[3].slug must be a string, not number"));
  EXPECT_THAT(read(R"({"slug":"a\n"})"), HasSubstr("control characters"));
  EXPECT_THAT(read(R"({"slug":"a","count":10})"),
              HasSubstr("count must be a whole number, 1 to 9"));
  EXPECT_THAT(read(R"({"slug":"a","count":1.5})"), HasSubstr("count must be a whole number"));
  EXPECT_THAT(read(R"({"slug":"a","on":"true"})"), HasSubstr("on must be true or false"));
  EXPECT_THAT(read(R"({"slug":"a","until":"tomorrow"})"), HasSubstr("until must be a time"));
  EXPECT_THAT(read(R"({"slug":"a","cuont":1})"), HasSubstr("did you mean 'count'"));
  EXPECT_THAT(read("[]"), HasSubstr("must be an object, not array"));
}

constexpr std::array<std::string_view, 2> kKnown = {"limit", "text"};

TEST(Query, IsReadStrictly) {
  const auto query = Query::parse("limit=5&text=a+b%26c", kKnown);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->text("text"), "a b&c");
  EXPECT_EQ(query->number("limit", 1, 1, 10).value(), 5);
  EXPECT_EQ(Query::parse("", kKnown)->number("limit", 7, 1, 10).value(), 7);
  for (const char* text : {"limt=5", "limit=5&limit=6", "limit=%", "limit=%0a", "&", "x"})
    EXPECT_EQ(Query::parse(text, kKnown).error().status, 400) << text;
  for (const char* text : {"limit=0", "limit=11", "limit=", "limit=1e1", "limit=+1"})
    EXPECT_FALSE(Query::parse(text, kKnown)->number("limit", 1, 1, 10).has_value()) << text;
}

TEST(Cursor, GoesBothWaysAndIsRefusedIfItIsNotOurs) {
  EXPECT_THAT(read_cursor(write_cursor({"acme", "1"}), 2).value(), ElementsAre("acme", "1"));
  EXPECT_FALSE(read_cursor(write_cursor({"acme"}), 2).has_value());
  EXPECT_FALSE(read_cursor("!!", 2).has_value());
  EXPECT_FALSE(read_cursor(std::string(600, 'A'), 1).has_value());
}

TEST(CallerRates, WhoGuessesWaitsAndOthersDoNot) {
  CallerRates rates({.tokens = 60, .period = minutes(1), .burst = 3});
  MonotonicTime now{hours(1)};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.admit("a", now), Duration(0));
  EXPECT_EQ(rates.blocked_for("a", now), Duration(0));
  EXPECT_GT(rates.admit("a", now), Duration(0));
  EXPECT_GT(rates.blocked_for("a", now), Duration(0));
  EXPECT_EQ(rates.blocked_for("b", now), Duration(0));
  now += minutes(1);
  EXPECT_EQ(rates.blocked_for("a", now), Duration(0));
}

TEST(CallerRates, ManyCallersDoNotNeedMoreAndMoreMemory) {
  CallerRates rates({.tokens = 1, .period = minutes(1), .burst = 1});
  for (int i = 0; i < 50'000; ++i)
    EXPECT_EQ(rates.admit(fmt::format("{}", i), MonotonicTime(hours(1))), Duration(0));
}

TEST(AdminToken, IsLongRandomAndRecognisable) {
  SeededRandom random(1);
  const Secret first = make_admin_token(random), second = make_admin_token(random);
  EXPECT_TRUE(first.reveal().starts_with(kAdminTokenPrefix));
  EXPECT_EQ(first.reveal().size(), 44u);
  EXPECT_FALSE(first.equals(second.reveal()));
}

}  // namespace
}  // namespace partywall::admin
