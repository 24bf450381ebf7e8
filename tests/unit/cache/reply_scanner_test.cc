#include "cache/resp/reply_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using testing::ElementsAreArray;
using Status = ReplyScanner::Status;

// The replies found when the bytes come in the given pieces; "invalid" ends the list.
std::vector<std::string> scan_pieces(const std::vector<std::string>& pieces) {
  std::vector<std::string> replies;
  ReplyScanner scanner;
  std::string current;
  for (const std::string& piece : pieces) {
    std::string_view rest = piece;
    while (!rest.empty()) {
      const auto step = scanner.scan(rest);
      current.append(rest.substr(0, step.bytes));
      rest.remove_prefix(step.bytes);
      if (step.status == Status::kInvalid) {
        replies.emplace_back("invalid");
        return replies;
      }
      if (step.status == Status::kIncomplete) {
        EXPECT_TRUE(rest.empty());
        EXPECT_TRUE(scanner.inside_reply());
        continue;
      }
      EXPECT_FALSE(scanner.inside_reply());
      EXPECT_EQ(scanner.type(), current[0]);
      replies.push_back(std::exchange(current, {}));
    }
  }
  if (!current.empty()) replies.push_back("incomplete");
  return replies;
}

const std::vector<std::string> kReplies = {"+OK\r\n",
                                           "-ERR no\r\n",
                                           ":-12\r\n",
                                           "$5\r\nhello\r\n",
                                           "$0\r\n\r\n",
                                           "$-1\r\n",
                                           "*-1\r\n",
                                           "*0\r\n",
                                           "%0\r\n",
                                           "$6\r\n+OK\r\n:\r\n",
                                           "*2\r\n*1\r\n:1\r\n$-1\r\n",
                                           "%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n_\r\n#t\r\n",
                                           "_\r\n",
                                           ",1.5e3\r\n",
                                           "(123456789012345678901234567890\r\n",
                                           "=8\r\ntxt:some\r\n",
                                           "!5\r\nERR x\r\n",
                                           "~2\r\n:1\r\n:2\r\n",
                                           ">3\r\n+message\r\n$1\r\na\r\n$1\r\nb\r\n",
                                           "*3\r\n*0\r\n%1\r\n:1\r\n*1\r\n:2\r\n:3\r\n",
                                           "+\r\n"};

TEST(ReplyScanner, FindsEveryKindOfReplyForEverySplit) {
  std::string bytes;
  for (const std::string& reply : kReplies) bytes += reply;
  EXPECT_THAT(scan_pieces({bytes}), ElementsAreArray(kReplies));
  std::vector<std::string> single;
  for (const char byte : bytes) single.emplace_back(1, byte);
  EXPECT_THAT(scan_pieces(single), ElementsAreArray(kReplies));
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    ASSERT_THAT(scan_pieces({bytes.substr(0, cut), bytes.substr(cut)}), ElementsAreArray(kReplies))
        << cut;
  }
}

TEST(ReplyScanner, CountsAnAttributeToTheReplyBehindIt) {
  const std::string reply = "|1\r\n+ttl\r\n:3\r\n*1\r\n:1\r\n";
  EXPECT_THAT(scan_pieces({reply, "+OK\r\n"}), ElementsAreArray({reply, std::string("+OK\r\n")}));
}

TEST(ReplyScanner, RefusesWhatIsNotAReply) {
  for (const char* bytes :
       {"x", "OK\r\n", "$?\r\n", "*?\r\n", "$-2\r\n", "%-1\r\n", "$\r\n", "$5\r\nhelloxx",
        "$1x\r\n", "*12345678901\r\n", "$5\rx", "+OK\rx", "$--1\r\n", "$-\r\n"}) {
    EXPECT_EQ(scan_pieces({bytes}).back(), "invalid") << bytes;
  }
}

TEST(ReplyScanner, NeedsNoMemoryForDepth) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "*1\r\n";
  deep += ":1\r\n";
  EXPECT_THAT(scan_pieces({deep}), ElementsAreArray({deep}));
}

}  // namespace
}  // namespace partywall::cache
