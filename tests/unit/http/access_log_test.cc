#include "http/door/access_log.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace partywall::http {
namespace {

std::string line_of(const RequestLogStart& start, const RequestLogEnd& end) {
  std::string line;
  begin_log_line(line, start);
  end_log_line(line, end);
  return line;
}

std::string text(const JsonValue& line, std::string_view member) {
  const JsonValue* const found = line.find(member);
  return found == nullptr                ? "(absent)"
         : found->as_string() == nullptr ? "(no text)"
                                         : *found->as_string();
}

double number(const JsonValue& line, std::string_view member) {
  const JsonValue* const found = line.find(member);
  return found == nullptr ? -1 : found->as_double().value_or(-1);
}

TEST(AccessLogLine, HasWhatIsKnownAndNothingElse) {
  const std::string line = line_of({.time = WallTime(milliseconds(1'769'860'800'007)),
                                    .request_id = "0123",
                                    .client = "127.0.0.1",
                                    .method = "GET",
                                    .path = "/api/products",
                                    .protocol = "HTTP/1.1",
                                    .user_agent = "curl/7.88"},
                                   {.status = 200,
                                    .tenant = "acme",
                                    .attempts = 1,
                                    .received_bytes = 70,
                                    .sent_bytes = 900,
                                    .duration = microseconds(1'025)});
  const auto read = JsonValue::parse(line);
  ASSERT_TRUE(read) << line;
  EXPECT_EQ(text(*read, "time"), "2026-01-31T12:00:00.007Z");
  EXPECT_EQ(text(*read, "request_id"), "0123");
  EXPECT_EQ(text(*read, "client"), "127.0.0.1");
  EXPECT_EQ(text(*read, "method"), "GET");
  EXPECT_EQ(text(*read, "path"), "/api/products");
  EXPECT_EQ(text(*read, "protocol"), "HTTP/1.1");
  EXPECT_EQ(text(*read, "user_agent"), "curl/7.88");
  EXPECT_EQ(text(*read, "tenant"), "acme");
  EXPECT_EQ(number(*read, "status"), 200);
  EXPECT_EQ(number(*read, "attempts"), 1);
  EXPECT_EQ(number(*read, "received_bytes"), 70);
  EXPECT_EQ(number(*read, "sent_bytes"), 900);
  EXPECT_DOUBLE_EQ(number(*read, "duration_ms"), 1.025);
  for (const char* absent : {"problem", "detail", "route", "cell", "pool", "instance", "queue_ms"})
    EXPECT_EQ(text(*read, absent), "(absent)");
}

// A line is one line, whatever a client sends: nobody writes a request that was never made.
TEST(AccessLogLine, WhatClientsSendCannotEndIt) {
  const std::string hostile = "/a\"b\\c\n{\"tenant\":\"globex\"}\r\t\x01\x7f";
  const std::string line =
      line_of({.method = "GET", .path = hostile, .user_agent = "\",\"tenant\":\"globex\"\n"},
              {.status = 403, .problem = "wrong-host", .detail = "no\nsuch", .tenant = "acme"});
  EXPECT_EQ(std::ranges::count_if(line, [](unsigned char c) { return c < ' '; }), 0);
  const auto read = JsonValue::parse(line);
  ASSERT_TRUE(read) << line;
  EXPECT_EQ(text(*read, "path"), hostile);
  EXPECT_EQ(text(*read, "user_agent"), "\",\"tenant\":\"globex\"\n");
  EXPECT_EQ(text(*read, "detail"), "no\nsuch");
  EXPECT_EQ(text(*read, "tenant"), "acme");
}

// A clock that is set back in the middle of a request makes no negative number.
TEST(AccessLogLine, DurationsAreNotNegative) {
  const auto read = JsonValue::parse(
      line_of({.method = "GET"},
              {.status = 200, .queued = milliseconds(-3), .duration = -microseconds(1)}));
  ASSERT_TRUE(read);
  EXPECT_EQ(number(*read, "duration_ms"), 0);
}

}  // namespace
}  // namespace partywall::http
