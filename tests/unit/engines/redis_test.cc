#include "engines/redis.h"

#include <gtest/gtest.h>

// What needs no server. Exchanges with Redis are covered end to end.
namespace partywall::redis {
namespace {

TEST(Redis, SaysThatNobodyListens) {
  const auto connection = Connection::open({.endpoint = {"/nonexistent/redis.sock", 0}});
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(connection.error().message.find("/nonexistent/redis.sock"), std::string::npos);
}

TEST(Redis, RepliesAsText) {
  EXPECT_EQ(to_string(Reply{}), "(nil)");
  EXPECT_EQ(to_string(Reply{.kind = Reply::Kind::kNumber, .number = -7}), "-7");
  EXPECT_EQ(to_string(Reply{.kind = Reply::Kind::kError, .text = "NOPERM x"}), "error NOPERM x");
  const Reply inner{.kind = Reply::Kind::kList,
                    .items = {Reply{.kind = Reply::Kind::kText, .text = "b"}}};
  EXPECT_EQ(to_string(Reply{.kind = Reply::Kind::kList,
                            .items = {Reply{.kind = Reply::Kind::kText, .text = "a"}, inner, {}}}),
            "[a, [b], (nil)]");
  EXPECT_EQ(to_string(Reply{.kind = Reply::Kind::kList}), "[]");
}

}  // namespace
}  // namespace partywall::redis
