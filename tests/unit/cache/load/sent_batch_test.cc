#include "cache/load/sent_batch.h"

#include <gtest/gtest.h>

#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

TEST(SentBatch, GivesTheLastOnes) {
  SentBatch batch;
  const std::string a = make_request({"GET", "a"});
  const std::string b = make_request({"BLPOP", "b", "0"});
  const std::string c = make_request({"GET", "c"});
  batch.begin(10);
  batch.add(a, 1);
  batch.add(b, 1, ReplyKeys::kFirst);
  batch.add(c, 1);
  EXPECT_TRUE(batch.is_whole(10, 3));
  EXPECT_TRUE(batch.is_whole(11, 2));
  EXPECT_FALSE(batch.is_whole(11, 3)) << "one was sent that is not kept";
  const auto last = batch.last(2);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].request, b);
  EXPECT_EQ(last[0].reply_keys, ReplyKeys::kFirst);
  EXPECT_EQ(last[1].request, c);
  EXPECT_EQ(last[1].reply_keys, ReplyKeys::kNone);
}

TEST(SentBatch, TakesSeveralInOnePiece) {
  SentBatch batch;
  batch.begin(0);
  batch.add(make_request({"GET", "a"}) + make_request({"GET", "b"}), 2);
  EXPECT_TRUE(batch.is_whole(0, 2));
  EXPECT_EQ(batch.last(1).front().request, make_request({"GET", "b"}));
}

TEST(SentBatch, WhatIsBigIsNotKept) {
  SentBatch batch;
  batch.begin(0);
  batch.add(make_request({"SET", "a", std::string(20'000, 'x')}), 1);
  EXPECT_FALSE(batch.is_whole(0, 1));
  batch.add(make_request({"GET", "a"}), 1);
  EXPECT_FALSE(batch.is_whole(0, 2));
  EXPECT_FALSE(batch.is_whole(1, 1));
  batch.begin(2);
  batch.add(make_request({"GET", "a"}), 1);
  EXPECT_TRUE(batch.is_whole(2, 1));
}

}  // namespace
}  // namespace partywall::cache
