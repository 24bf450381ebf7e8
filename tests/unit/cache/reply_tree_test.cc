#include "cache/resp/reply_tree.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

TEST(ReplyTree, ReadsNestedValues) {
  const auto tree = parse_reply_tree("*3\r\n$6\r\nmaster\r\n:-7\r\n*2\r\n$-1\r\n+OK\r\n");
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->items.size(), 3u);
  EXPECT_EQ(tree->items[0].text, "master");
  EXPECT_EQ(tree->items[1].number, -7);
  EXPECT_EQ(tree->items[2].items[0].type, '_');
  EXPECT_EQ(tree->items[2].items[1].text, "OK");
  EXPECT_EQ(parse_reply_tree("%1\r\n+a\r\n:1\r\n")->items.size(), 2u);
  EXPECT_TRUE(parse_reply_tree("-ERR no\r\n")->is_error());
}

TEST(ReplyTree, RefusesWhatIsNotExactlyOneReply) {
  for (const char* text : {"", "+OK", "+OK\r\n+OK\r\n", "$5\r\nab\r\n", "*2\r\n+a\r\n", "?\r\n",
                           "*999999999999\r\n", "*-x\r\n", "$9223372036854775807\r\n"}) {
    EXPECT_FALSE(parse_reply_tree(text)) << text;
  }
}

TEST(ReplyTree, IsNotNestedDeeperThanAllowed) {
  std::string text;
  for (int i = 0; i < kMaxReplyDepth - 1; ++i) text += "*1\r\n";
  EXPECT_TRUE(parse_reply_tree(text + "+a\r\n"));
  EXPECT_FALSE(parse_reply_tree("*1\r\n" + text + "+a\r\n"));
}

}  // namespace
}  // namespace partywall::cache
