#include "fetch/client.h"

#include <gtest/gtest.h>

// What is refused before anything is sent. Exchanges with a server are covered end to end.
namespace partywall::fetch {
namespace {

TEST(Client, SpeaksOnlyHttp) {
  Client client;
  for (const char* url :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "dict://127.0.0.1/"}) {
    const auto answer = client.send({.url = url});
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid) << answer.error().message;
  }
}

TEST(Client, RefusesHeadersThatWouldBecomeTwo) {
  Client client;
  const auto answer =
      client.send({.url = "http://127.0.0.1:1/", .headers = {{"X-A", "b\r\nX-Tenant-Id: c"}}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
}

TEST(Client, RefusesMethodsThatAreMoreThanOneWord) {
  Client client;
  for (const char* method : {"", "GET /other HTTP/1.1", "GET\r\nX: y"}) {
    const auto answer = client.send({.method = method, .url = "http://127.0.0.1:1/"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Client, SaysThatNobodyListens) {
  Client client;
  const auto answer =
      client.send({.url = "http://partywall.invalid/", .unix_socket = "/nonexistent/socket"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace partywall::fetch
