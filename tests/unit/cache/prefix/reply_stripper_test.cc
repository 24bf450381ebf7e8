#include "cache/prefix/reply_stripper.h"

#include <string>

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

const std::string kPrefix = "t:{a}:";

ReplyShape shape(ReplyKeys keys) { return {.keys = keys, .transaction = nullptr}; }

ReplyShape transaction(std::vector<ReplyKeys> keys) {
  return {.keys = ReplyKeys::kNone,
          .transaction = std::make_unique<const std::vector<ReplyKeys>>(std::move(keys))};
}

// What the client sees; "!" at the end where the reply is refused, "…" where it is incomplete. The
// same for every size of the pieces.
std::string strip(const std::string& reply, const ReplyShape& shape) {
  std::string whole;
  for (size_t piece = reply.size(); piece > 0; --piece) {
    ReplyStripper stripper(kPrefix);
    std::string out;
    auto status = ReplyStripper::Status::kIncomplete;
    size_t at = 0;
    while (at < reply.size() && status == ReplyStripper::Status::kIncomplete) {
      const auto step = stripper.strip(std::string_view(reply).substr(at, piece), shape, out);
      status = step.status;
      at += step.bytes;
    }
    if (status == ReplyStripper::Status::kReply) EXPECT_FALSE(stripper.inside_reply());
    if (status == ReplyStripper::Status::kReply) EXPECT_EQ(at, reply.size());
    if (status == ReplyStripper::Status::kInvalid) out = "!";
    if (status == ReplyStripper::Status::kIncomplete) out += "…";
    if (piece == reply.size()) whole = out;
    EXPECT_EQ(out, whole) << "in pieces of " << piece;
  }
  return whole;
}

TEST(ReplyStripper, TakesThePrefixOffTheFirstElement) {
  EXPECT_EQ(strip("*2\r\n$7\r\nt:{a}:k\r\n$8\r\nt:{a}:xx\r\n", shape(ReplyKeys::kFirst)),
            "*2\r\n$1\r\nk\r\n$8\r\nt:{a}:xx\r\n");
  EXPECT_EQ(strip("*2\r\n$6\r\nt:{a}:\r\n*1\r\n$1\r\nv\r\n", shape(ReplyKeys::kFirst)),
            "*2\r\n$0\r\n\r\n*1\r\n$1\r\nv\r\n");
  EXPECT_EQ(strip("*-1\r\n", shape(ReplyKeys::kFirst)), "*-1\r\n");
  EXPECT_EQ(strip("_\r\n", shape(ReplyKeys::kFirst)), "_\r\n");
  EXPECT_EQ(strip("$-1\r\n", shape(ReplyKeys::kFirst)), "$-1\r\n");
  EXPECT_EQ(strip("+QUEUED\r\n", shape(ReplyKeys::kFirst)), "+QUEUED\r\n");
}

TEST(ReplyStripper, TakesThePrefixOffTheNamesOfStreams) {
  const std::string entries = "*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$7\r\nt:{a}:v\r\n";
  EXPECT_EQ(strip("*2\r\n*2\r\n$7\r\nt:{a}:s\r\n" + entries + "*2\r\n$7\r\nt:{a}:u\r\n" + entries,
                  shape(ReplyKeys::kStreams)),
            "*2\r\n*2\r\n$1\r\ns\r\n" + entries + "*2\r\n$1\r\nu\r\n" + entries);
  EXPECT_EQ(strip("%2\r\n$7\r\nt:{a}:s\r\n" + entries + "$7\r\nt:{a}:u\r\n*0\r\n",
                  shape(ReplyKeys::kStreams)),
            "%2\r\n$1\r\ns\r\n" + entries + "$1\r\nu\r\n*0\r\n");
}

TEST(ReplyStripper, LooksIntoTheRepliesOfATransaction) {
  EXPECT_EQ(strip("*4\r\n$7\r\nt:{a}:v\r\n*2\r\n$7\r\nt:{a}:k\r\n$1\r\nv\r\n-ERR t:{a}:k\r\n"
                  "*1\r\n*2\r\n$7\r\nt:{a}:s\r\n*0\r\n",
                  transaction({ReplyKeys::kNone, ReplyKeys::kFirst, ReplyKeys::kNone,
                               ReplyKeys::kStreams})),
            "*4\r\n$7\r\nt:{a}:v\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n-ERR k\r\n"
            "*1\r\n*2\r\n$1\r\ns\r\n*0\r\n");
  EXPECT_EQ(strip("*-1\r\n", transaction({ReplyKeys::kNone})), "*-1\r\n");
  EXPECT_EQ(strip("-EXECABORT t:{a}:\r\n", transaction({ReplyKeys::kNone})), "-EXECABORT \r\n");
}

TEST(ReplyStripper, TakesThePrefixOutOfErrors) {
  EXPECT_EQ(strip("-NOGROUP No such key 't:{a}:s' or t:{a}:t:{a}:\r\n", shape(ReplyKeys::kNone)),
            "-NOGROUP No such key 's' or \r\n");
}

TEST(ReplyStripper, RefusesKeysOfOthersAndWhatIsNotAReply) {
  for (const char* reply : {"*2\r\n$7\r\nt:{b}:k\r\n$1\r\nv\r\n", "*2\r\n$3\r\nt:k\r\n$1\r\nv\r\n",
                            "*1\r\n:1\r\n", "$7\r\nt:{a}:k\r\n", "%1\r\n$1\r\na\r\n", "*x\r\n",
                            "*2\n", "*-2\r\n", ">1\r\n", "*1\r\n$-1\r\n"}) {
    EXPECT_EQ(strip(reply, shape(ReplyKeys::kFirst)), "!") << reply;
  }
  EXPECT_EQ(strip("*1\r\n*2\r\n$7\r\nt:{b}:s\r\n*0\r\n", shape(ReplyKeys::kStreams)), "!");
  ReplyStripper stripper(kPrefix);
  std::string out;
  EXPECT_EQ(stripper.strip("-" + std::string(70'000, 'x'), shape(ReplyKeys::kNone), out).status,
            ReplyStripper::Status::kInvalid);
}

TEST(ReplyStripper, KeepsNothingOfLongValues) {
  ReplyStripper stripper(kPrefix);
  std::string out;
  const auto first = shape(ReplyKeys::kFirst);
  stripper.strip("*2\r\n$7\r\nt:{a}:k\r\n$1000000\r\n", first, out);
  for (int i = 0; i < 1000; ++i) {
    out.clear();
    stripper.strip(std::string(1000, 'v'), first, out);
    ASSERT_EQ(out.size(), 1000U);
  }
  EXPECT_EQ(stripper.strip("\r\n", first, out).status, ReplyStripper::Status::kReply);
}

}  // namespace
}  // namespace partywall::cache
