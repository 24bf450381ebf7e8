#include "fetch/message.h"

#include <gtest/gtest.h>

namespace partywall::fetch {
namespace {

TEST(HeaderLine, SplitsAtTheFirstColonAndTrims) {
  const auto header = parse_header_line("Retry-After:  7 \r\n");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->first, "Retry-After");
  EXPECT_EQ(header->second, "7");
  EXPECT_EQ(parse_header_line("Location: http://a:1/\r\n")->second, "http://a:1/");
  EXPECT_EQ(parse_header_line("Empty:\r\n")->second, "");
}

TEST(HeaderLine, StatusLineAndEndAreNoHeaders) {
  EXPECT_FALSE(parse_header_line("HTTP/1.1 200 OK: fine\r\n"));
  EXPECT_FALSE(parse_header_line("\r\n"));
  EXPECT_FALSE(parse_header_line(": no name\r\n"));
}

TEST(Response, FindsTheFirstHeaderInAnyCase) {
  const Response response{.status = 200, .headers = {{"X-One", "1"}, {"x-one", "2"}}, .body = ""};
  EXPECT_EQ(response.header("x-ONE"), "1");
  EXPECT_FALSE(response.header("x-on"));
  EXPECT_FALSE(response.header("x-one-more"));
}

}  // namespace
}  // namespace partywall::fetch
