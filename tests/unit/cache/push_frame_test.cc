#include "cache/push_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using Kind = PushFrame::Kind;

std::string strip(std::string_view frame) {
  const auto stripped = strip_push_frame(frame, "t:");
  return stripped ? stripped->text : "refused";
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

}  // namespace
}  // namespace partywall::cache
