#include "cache/push_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using Kind = PushFrame::Kind;

std::string strip(std::string_view frame) {
  const auto read = read_push_frame(frame, ChannelNames("t:", 5, 1));
  if (!read) return "refused";
  return read->kind == Kind::kForeign ? "foreign" : read->text;
}

TEST(PushFrame, TakesThePrefixOffNames) {
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$3\r\nt:a\r\n$4\r\nt:xy\r\n"),
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$4\r\nt:xy\r\n");
  EXPECT_EQ(strip(">4\r\n$8\r\npmessage\r\n$3\r\nt:*\r\n$3\r\nt:a\r\n$1\r\nx\r\n"),
            ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nx\r\n");
  EXPECT_EQ(strip("*3\r\n$9\r\nsubscribe\r\n$2\r\nt:\r\n:1\r\n"),
            "*3\r\n$9\r\nsubscribe\r\n$0\r\n\r\n:1\r\n");
  EXPECT_EQ(strip("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
            "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(strip(">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"),
            ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n");
  EXPECT_EQ(strip("*2\r\n$4\r\npong\r\n$2\r\nhi\r\n"), "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n");
  EXPECT_EQ(strip("-ERR x\r\n"), "-ERR x\r\n");
}

TEST(PushFrame, RefusesForeignAndUnknownOnes) {
  for (const char* frame :
       {"*3\r\n$7\r\nmessage\r\n$3\r\nu:a\r\n$1\r\nx\r\n",
        "*3\r\n$7\r\nmessage\r\n$-1\r\n$1\r\nx\r\n",
        "*4\r\n$8\r\npmessage\r\n$3\r\nt:*\r\n$3\r\nu:a\r\n$1\r\nx\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$3\r\nt:a\r\n$1\r\nx\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", "*2\r\n$7\r\nmessage\r\n$3\r\nt:a\r\n",
        "*0\r\n", "*-1\r\n", ":1\r\n", "$1\r\na\r\n", ""}) {
    EXPECT_EQ(strip(frame), "refused") << frame;
  }
}

TEST(PushFrame, GivesKeyspaceNotificationsTheTenantsNumbers) {
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@5__:a\r\n$3\r\nset\r\n"),
            "*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:a\r\n$3\r\nset\r\n");
  EXPECT_EQ(strip("*4\r\n$8\r\npmessage\r\n$12\r\n__key*@5__:*\r\n$16\r\n__keyspace@5__:a"
                  "\r\n$3\r\nset\r\n"),
            "*4\r\n$8\r\npmessage\r\n$12\r\n__key*@0__:*\r\n$16\r\n__keyspace@0__:a\r\n"
            "$3\r\nset\r\n");
  // A neighbour's key "x@5__:y" is matched by that pattern too.
  EXPECT_EQ(strip("*4\r\n$8\r\npmessage\r\n$12\r\n__key*@5__:*\r\n$22\r\n__keyspace@6__:x@5__:y"
                  "\r\n$3\r\nset\r\n"),
            "foreign");
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@6__:a\r\n$3\r\nset\r\n"), "refused");
}

}  // namespace
}  // namespace partywall::cache
