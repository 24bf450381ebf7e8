#include "base/json.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_writer.h"
#include "base/random.h"

namespace partywall {
namespace {

using testing::HasSubstr;

JsonValue parsed(std::string_view text, const JsonLimits& limits = {}) {
  auto value = JsonValue::parse(text, limits);
  EXPECT_TRUE(value.has_value()) << text << ": " << value.error().message;
  return value.value_or(JsonValue());
}

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  const auto value = JsonValue::parse(text, limits);
  EXPECT_FALSE(value.has_value()) << text;
  if (value) return "";
  EXPECT_EQ(value.error().kind, ErrorKind::kInvalid);
  return value.error().message;
}

TEST(Json, Scalars) {
  EXPECT_TRUE(parsed("null").is_null());
  EXPECT_EQ(parsed("true").as_bool(), true);
  EXPECT_EQ(parsed("false").as_bool(), false);
  EXPECT_EQ(*parsed(" \t\r\n\"x\" ").as_string(), "x");
  EXPECT_EQ(parsed("-7").as_int64(), -7);
  EXPECT_EQ(parsed("1.5").as_double(), 1.5);
}

TEST(Json, IntegersAreExact) {
  EXPECT_EQ(parsed("9223372036854775807").as_int64(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parsed("-9223372036854775808").as_int64(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parsed("9223372036854775808").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("9223372036854775808").as_uint64(), 9223372036854775808U);
  EXPECT_EQ(parsed("18446744073709551615").as_uint64(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parsed("5").as_uint64(), 5U);
  EXPECT_EQ(parsed("-1").as_uint64(), std::nullopt);
  EXPECT_EQ(parsed("18446744073709551616").as_uint64(), std::nullopt);
  EXPECT_EQ(parsed("18446744073709551616").as_double(), 18446744073709551616.0);
  EXPECT_EQ(parsed("-9223372036854775809").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("1.0").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("1e2").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("1e2").as_double(), 100.0);
}

TEST(Json, DoublesAreRoundedToTheNearest) {
  SeededRandom random(3);
  for (int i = 0; i < 2'000; ++i) {
    const double number = std::bit_cast<double>(random.next_u64());
    if (!std::isfinite(number)) continue;
    const std::string text = fmt::format("[{:.17e}]", number);
    ASSERT_EQ((*parsed(text).as_array())[0].as_double(), number) << text;
  }
  EXPECT_THAT(refusal("1e400"), HasSubstr("range"));
  EXPECT_THAT(refusal("[-1e999]"), HasSubstr("range"));
}

TEST(Json, ObjectsKeepTheirOrder) {
  const JsonValue value = parsed(R"({"b":1,"a":{"c":[true,null,"x"]},"":2})");
  ASSERT_EQ(value.as_object()->size(), 3U);
  EXPECT_EQ((*value.as_object())[0].name, "b");
  EXPECT_EQ((*value.as_object())[2].name, "");
  EXPECT_EQ(value.find("")->as_int64(), 2);
  EXPECT_EQ(*(*value.find("a")->find("c")->as_array())[2].as_string(), "x");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(value.find("b")->find("x"), nullptr);
  EXPECT_EQ(value.find_string("b"), nullptr);
  EXPECT_EQ(*parsed(R"({"s":"t"})").find_string("s"), "t");
}

TEST(Json, AccessorsOfAnotherTypeGiveNothing) {
  const JsonValue number = parsed("1");
  EXPECT_EQ(number.as_bool(), std::nullopt);
  EXPECT_EQ(number.as_string(), nullptr);
  EXPECT_EQ(number.as_array(), nullptr);
  EXPECT_EQ(number.as_object(), nullptr);
  EXPECT_FALSE(number.is_null());
  const JsonValue text = parsed("\"1\"");
  EXPECT_EQ(text.as_int64(), std::nullopt);
  EXPECT_EQ(text.as_uint64(), std::nullopt);
  EXPECT_EQ(text.as_double(), std::nullopt);
}

TEST(Json, TypeNames) {
  std::string names;
  for (const char* text :
       {"null", "true", "1", "18446744073709551615", "1.5", "\"\"", "[]", "{}"}) {
    names += parsed(text).type_name();
    names += ' ';
  }
  EXPECT_EQ(names, "null boolean number number number string array object ");
}

TEST(Json, EscapesAreDecoded) {
  EXPECT_EQ(*parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00")").as_string(),
            "\"\\/\b\f\n\r\tA\xC3\xA4\xF0\x9F\x98\x80");
  EXPECT_EQ(*parsed(R"("a\u0000b")").as_string(), std::string("a\0b", 3));
}

TEST(Json, RefusesMembersThatAppearTwice) {
  EXPECT_EQ(refusal(R"({"a":1,"a":2})"),
            "line 1, column 10: this name appears twice in its object");
  EXPECT_THAT(refusal(R"({"a":1,"\u0061":2})"), HasSubstr("twice"));
  EXPECT_THAT(refusal(R"([{"x":{"b":1,"b":1}}])"), HasSubstr("twice"));
  EXPECT_EQ(parsed(R"({"a":{"a":1},"b":{"a":1}})").as_object()->size(), 2U);
}

TEST(Json, FindsADuplicateAmongManyMembers) {
  for (const int count : {1, 15, 16, 17, 18, 100}) {
    for (int twice = 0; twice < count; ++twice) {
      std::string text = "{";
      for (int i = 0; i < count; ++i) text += fmt::format("\"{}\":{},", i, i);
      ASSERT_EQ(parsed(text + "\"x\":0}").as_object()->size(), static_cast<size_t>(count) + 1);
      ASSERT_THAT(refusal(text + fmt::format("\"{}\":0}}", twice)), HasSubstr("twice"));
    }
  }
}

TEST(Json, RefusesWhatIsNotStrictJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "[",
                                      "[1",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{\"a\"}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "01",
                                      "-",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "0x10",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "nul",
                                      "True",
                                      "\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "// x\n1",
                                      "/* */1",
                                      "1 2",
                                      "{}{}",
                                      "[]x",
                                      "\"a\" b",
                                      "\xEF\xBB\xBF{}",
                                      "[1 2]",
                                      "{\"a\" 1}",
                                      "{\"a\":1 \"b\":2}",
                                      "[,1]",
                                      "]",
                                      "}",
                                      "1,",
                                      "\\u0022"}) {
    EXPECT_NE(refusal(text), "");
  }
  EXPECT_NE(refusal(std::string_view("1\0", 2)), "");
  EXPECT_NE(refusal(std::string_view("\0", 1)), "");
}

TEST(Json, RefusesInvalidUtf8AndHalfSurrogates) {
  for (const std::string_view text :
       {"\"\x80\"", "\"\xC3\"", "\"\xC0\x80\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"", "\"\xFF\"", "{\"\xC3\":1}", "\"\\ud800\"", "\"\\udc00\"",
        "\"\\ud800x\"", "\"\\ud800\\u0041\""}) {
    EXPECT_NE(refusal(text), "");
  }
}

TEST(Json, DepthIsBounded) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  const JsonLimits limits{.max_depth = 5};
  EXPECT_NE(parsed(nested(5), limits).as_array(), nullptr);
  EXPECT_THAT(refusal(nested(6), limits), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(R"({"a":{"a":{"a":{"a":{"a":{}}}}}})", limits),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(std::string(60'000, '[')), HasSubstr("nested too deeply"));
}

TEST(Json, SizeIsBounded) {
  EXPECT_EQ(parsed("[10]", {.max_bytes = 4}).as_array()->size(), 1U);
  EXPECT_THAT(refusal("[100]", {.max_bytes = 4}), HasSubstr("at most 4"));
}

TEST(Json, NamesThePlace) {
  EXPECT_EQ(refusal("{\n  \"a\": 1,\n  \"b\": tru }"), "line 3, column 11: this is not JSON");
  EXPECT_EQ(refusal("[1,2"), "line 1, column 5: the text ends too early");
  EXPECT_EQ(refusal("{}\n\n x"), "line 3, column 2: something follows the end of the value");
}

TEST(Json, ReadsWhatJsonWriterWrites) {
  SeededRandom random(11);
  for (int i = 0; i < 500; ++i) {
    std::string text(random.below(40), '\0');
    for (char& c : text) c = static_cast<char>(random.below(0x80));
    const double number = static_cast<double>(random.below(1'000'000)) / 1000;
    std::string written;
    JsonWriter(written)
        .begin_object()
        .key(text)
        .begin_array()
        .value(text)
        .value(random.next_u64() >> 1)
        .value(number)
        .null()
        .value(true)
        .end_array()
        .end_object();
    const JsonValue value = parsed(written);
    const JsonValue* array = value.find(text);
    ASSERT_NE(array, nullptr) << written;
    EXPECT_EQ(*array->as_array()->at(0).as_string(), text);
    EXPECT_EQ(array->as_array()->at(2).as_double(), number);
  }
}

TEST(JsonProperty, PrefixesAreNeverWholeDocuments) {
  const std::string text = R"({"a":[1,-2.5e3,true,false,null,"\u00e4\n"],"b":{"c":{}}})";
  for (size_t length = 0; length < text.size(); ++length) refusal(text.substr(0, length));
  EXPECT_EQ(parsed(text), parsed(text));
}

}  // namespace
}  // namespace partywall
