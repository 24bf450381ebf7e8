#include "base/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/random.h"

namespace partywall {
namespace {

TEST(JsonWriter, WritesNestedValues) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .key("a")
      .value(1)
      .key("b")
      .begin_array()
      .value("x")
      .value(true)
      .null()
      .begin_object()
      .end_object();
  json.begin_array()
      .end_array()
      .end_array()
      .key("c")
      .value(uint64_t{18'446'744'073'709'551'615U})
      .key("d");
  json.value(std::numeric_limits<int64_t>::min()).key("e").value(0.5).end_object();
  EXPECT_EQ(
      out,
      R"({"a":1,"b":["x",true,null,{},[]],"c":18446744073709551615,"d":-9223372036854775808,"e":0.5})");
}

TEST(JsonWriter, InfinityAndNaNBecomeNull) {
  std::string out;
  JsonWriter(out)
      .begin_array()
      .value(std::numeric_limits<double>::infinity())
      .value(std::numeric_limits<double>::quiet_NaN())
      .end_array();
  EXPECT_EQ(out, "[null,null]");
}

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(as_json("a\"b\\c\n\r\t\x01\x1F\x7F/"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7F/\"");
  EXPECT_EQ(as_json(std::string_view("\0", 1)), "\"\\u0000\"");
  EXPECT_EQ(as_json("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST(JsonString, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(as_json("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(as_json("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(as_json("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(as_json("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
}

// Whatever the bytes, the result is JSON; if they are UTF-8, it reads back as they were.
TEST(JsonStringProperty, IsAlwaysValid) {
  SeededRandom random(5);
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes(random.below(12), '\0');
    random.fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    const auto value = JsonValue::parse(as_json(bytes));
    ASSERT_TRUE(value.has_value()) << value.error().message;
    ASSERT_EQ(as_json(*value->as_string()), as_json(bytes));
  }
}

TEST(JsonText, AParsedValueIsWrittenAsItWas) {
  for (
      const std::string_view text :
      {R"({"b":[1,-2,18446744073709551615,0.5,true,false,null],"a":{"x":"\u0001\""},"e":{},"f":[]})",
       "[]", "\"é\"", "null"}) {
    EXPECT_EQ(to_json_text(JsonValue::parse(text).value()), text);
  }
}

}  // namespace
}  // namespace partywall
