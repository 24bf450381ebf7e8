#include "cache/quota/index_survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/route_world.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string page(std::string_view cursor) {
  std::string out = "*2\r\n";
  append_bulk(out, cursor);
  return out + ":0\r\n";
}

class Survey : public testing::Test {
 protected:
  static CacheInstance single() { return {.name = "main", .endpoints = {at(6379)}}; }
  ScriptedNetwork::Connection& last() { return network_.opened.back(); }
  void tick(Duration after = kRouteTick, uint32_t nodes = 1) { survey_.tick(now_ += after, nodes); }

  ScriptedNetwork network_;
  CacheRoute route_{cell_with(single()), single()};
  IndexSurvey survey_{route_, network_};
  MonotonicTime now_ = MonotonicTime() + hours(1);
};

TEST_F(Survey, GoesThroughAllKeysAndBeginsAgain) {
  tick();
  EXPECT_THAT(last().take(), testing::AllOf(HasSubstr("partywall-index"), HasSubstr("EVAL")));
  last().say("+OK\r\n" + page("17"));
  tick();
  EXPECT_THAT(last().take(), HasSubstr("$2\r\n17\r\n"));
  last().say_slowly(page("0"));
  EXPECT_TRUE(last().upstream->must_close());
  tick();
  EXPECT_EQ(network_.opened.size(), 1U);
  tick(seconds(5));
  EXPECT_EQ(network_.opened.size(), 2U);
}

TEST_F(Survey, TakesTheLessTimeTheMoreNodesDoTheSame) {
  tick();
  last().take();
  last().say("+OK\r\n" + page("17"));
  tick(kRouteTick, 3);
  EXPECT_THAT(last().take(), IsEmpty());
  tick(kRouteTick * 2, 3);
  EXPECT_THAT(last().take(), HasSubstr("EVAL"));
}

TEST_F(Survey, OneQuestionAtATime) {
  tick();
  last().take();
  tick();
  EXPECT_THAT(last().take(), IsEmpty());
  EXPECT_EQ(network_.opened.size(), 1U);
}

TEST_F(Survey, TriesAgainAfterWhateverGoesWrong) {
  for (const char* problem :
       {"-WRONGPASS no\r\n", "+OK\r\n-READONLY no\r\n", "+OK\r\n:1\r\n", "?"}) {
    const size_t before = network_.opened.size();
    tick(seconds(2));
    ASSERT_EQ(network_.opened.size(), before + 1) << problem;
    last().take();
    last().say(problem);
    tick();
    EXPECT_EQ(network_.opened.size(), before + 1) << problem;
  }
  tick(seconds(2));
  tick(seconds(10));  // it does not answer
  EXPECT_TRUE(last().upstream->must_close());
  network_.refuse = true;
  tick(seconds(2));
  tick(seconds(2));
  EXPECT_EQ(network_.opened.size(), 7U);
}

TEST(SurveyOfACluster, GoesFromNodeToNode) {
  ScriptedNetwork network;
  CacheRoute route(cell_with(cluster_instance()), cluster_instance());
  IndexSurvey survey(route, network);
  MonotonicTime now = MonotonicTime() + hours(1);
  survey.tick(now, 1);
  EXPECT_TRUE(network.opened.empty());  // no node is known yet
  route.set_slots(
      *SlotMap::parse("a 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-9\n"
                      "b 127.0.0.1:7001@17001 master - 0 0 2 connected 10-16383\n",
                      at(7000)));
  for (const uint16_t port : {7000, 7001, 7000}) {
    survey.tick(now += seconds(6), 1);
    EXPECT_EQ(network.opened.back().endpoint, at(port));
    network.opened.back().take();
    network.opened.back().say("+OK\r\n" + page("0"));
  }
}

}  // namespace
}  // namespace partywall::cache
