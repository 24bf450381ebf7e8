// A connection to a node of a cluster, and the ones that requests are redirected to.
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/resp/request_parser.h"
#include "cache/route_world.h"
#include "cache/upstream_fsm.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kDone = "+OK\r\n";

struct Events final : ServerEvents {
  void not_primary() override { ++not_primaries; }
  void slot_moved() override { ++moves; }
  void login_refused(const Endpoint&, const std::string&) override { ++refusals; }
  std::shared_ptr<UpstreamFsm> connection_to(const Endpoint& node) override {
    const auto found = nodes.find(node.port);
    return found == nodes.end() ? nullptr : found->second;
  }

  std::map<uint16_t, std::shared_ptr<UpstreamFsm>> nodes;
  int not_primaries = 0;
  int moves = 0;
  int refusals = 0;
};

class Redirected : public testing::Test {
 protected:
  std::shared_ptr<UpstreamFsm> add_node(uint16_t port) {
    return events_->nodes[port] = connect(port);
  }
  std::shared_ptr<UpstreamFsm> connect(uint16_t port, Redirects redirects = Redirects::kFollow) {
    auto upstream = std::make_shared<UpstreamFsm>(
        Handshake("AUTH", 1),
        UpstreamFsm::Place{.server = at(port), .redirects = redirects, .events = events_});
    upstream->sent(upstream->output().size());
    upstream->receive(kDone);
    return upstream;
  }

  static std::string written(UpstreamFsm& upstream) {
    std::string out(upstream.output());
    upstream.sent(out.size());
    return out;
  }
  static void say(UpstreamFsm& upstream, std::string_view bytes) { upstream.receive(bytes); }
  void turn() {
    first_->turn();
    for (const auto& [port, node] : events_->nodes) node->turn();
  }
  static std::string get(std::string_view key) { return make_request({"GET", key}); }

  std::shared_ptr<Events> events_ = std::make_shared<Events>();
  std::shared_ptr<UpstreamFsm> first_ = connect(7000);
  UpstreamFsm& second_ = *add_node(7001);
  UpstreamFsm& third_ = *add_node(7002);
  RecordingSink sink_;
  RecordingSink other_;
};

TEST_F(Redirected, ARequestGoesToTheOtherNodeAndRepliesStayInOrder) {
  first_->send(sink_, get("a") + get("b") + get("c"), 3);
  written(*first_);
  say(*first_, "$1\r\nA\r\n-MOVED 1 127.0.0.1:7001\r\n$1\r\nC\r\n");
  EXPECT_EQ(sink_.take(), "$1\r\nA\r\n");
  EXPECT_EQ(written(second_), get("b"));
  EXPECT_FALSE(first_->wants_input());
  EXPECT_EQ(events_->moves, 1);
  say(second_, "$1\r\nB\r\n");
  turn();
  EXPECT_EQ(sink_.take(), "$1\r\nB\r\n$1\r\nC\r\n");
  EXPECT_TRUE(first_->wants_input());
  EXPECT_TRUE(first_->idle());
}

TEST_F(Redirected, AskIsAnnouncedAndIsNoReasonToLookForTheSlot) {
  first_->send(sink_, get("a"), 1);
  say(*first_, "-ASK 1 127.0.0.1:7001\r\n");
  EXPECT_EQ(written(second_), make_request({"ASKING"}) + get("a"));
  EXPECT_EQ(events_->moves, 0);
  say(second_, "+OK\r\n$1\r\nA\r\n");
  EXPECT_EQ(sink_.take(), "$1\r\nA\r\n");
}

TEST_F(Redirected, AreFollowedFromNodeToNode) {
  first_->send(sink_, get("a"), 1);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n");
  say(second_, "-ASK 1 127.0.0.1:7002\r\n");
  EXPECT_EQ(sink_.text, "");
  turn();
  EXPECT_EQ(written(third_), make_request({"ASKING"}) + get("a"));
  say(third_, "+OK\r\n:1\r\n");
  EXPECT_EQ(sink_.take(), ":1\r\n");
}

TEST_F(Redirected, NotForEver) {
  first_->send(sink_, get("a"), 1);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n");
  for (int hop = 0; hop < 100 && sink_.text.empty(); ++hop) {
    UpstreamFsm& now = hop % 2 == 0 ? second_ : third_;
    say(now, hop % 2 == 0 ? "-MOVED 1 127.0.0.1:7002\r\n" : "-MOVED 1 127.0.0.1:7001\r\n");
    turn();
  }
  EXPECT_THAT(sink_.take(), StartsWith("-TRYAGAIN"));
  EXPECT_TRUE(first_->idle());
}

// A tenant's script can answer whatever it likes.
TEST_F(Redirected, NowhereButToNodesOfTheCluster) {
  for (const char* reply :
       {"-MOVED 1 10.1.2.3:22\r\n", "-ASK 1 127.0.0.1:7777\r\n", "-MOVED 1 127.0.0.1:7000\r\n"}) {
    first_->send(sink_, get("a"), 1);
    say(*first_, reply);
    const std::string answer = sink_.take();
    EXPECT_THAT(answer, StartsWith("-TRYAGAIN")) << reply;
    EXPECT_THAT(answer, testing::Not(HasSubstr("127.0.0.1")));
  }
}

TEST_F(Redirected, OtherErrorsArePassedOn) {
  for (const char* reply : {"-MOVED\r\n", "-MOVED 1 x\r\n", "-MOVED 99999 127.0.0.1:7001\r\n",
                            "-ERR no\r\n", "-ASKED 1 127.0.0.1:7001\r\n"}) {
    first_->send(sink_, get("a"), 1);
    say(*first_, reply);
    EXPECT_EQ(sink_.take(), reply);
  }
}

TEST_F(Redirected, ATransactionsCommandsAreNot) {
  const auto held = connect(7000, Redirects::kReport);
  held->send(sink_, get("a"), 1);
  say(*held, "-MOVED 1 127.0.0.1:7001\r\n");
  EXPECT_THAT(sink_.take(), StartsWith("-TRYAGAIN"));
  EXPECT_EQ(events_->moves, 1);
  EXPECT_EQ(held->last_reply_type(), '-');  // so the connection is not used again
}

TEST_F(Redirected, EachSessionGetsItsOwn) {
  first_->send(sink_, get("a"), 1);
  first_->send(other_, get("b"), 1);
  first_->send(sink_, get("c"), 1);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n-MOVED 1 127.0.0.1:7001\r\n:3\r\n");
  say(second_, ":1\r\n");
  turn();
  EXPECT_EQ(sink_.take(), ":1\r\n");
  say(second_, ":2\r\n");
  turn();
  EXPECT_EQ(other_.take(), ":2\r\n");
  EXPECT_EQ(sink_.take(), ":3\r\n");
}

TEST_F(Redirected, AnAnswerForWhoHasLeftGoesNowhere) {
  first_->send(sink_, get("a"), 1);
  first_->send(other_, get("b"), 1);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n:2\r\n");
  first_->abandon(sink_);
  say(second_, "$6\r\nsec");
  say(second_, "ret\r\n");
  turn();
  EXPECT_EQ(sink_.text, "");
  EXPECT_EQ(other_.take(), ":2\r\n");
}

TEST_F(Redirected, ALostNodeLeavesTheOutcomeOpenAndIsNotAskedAgain) {
  first_->send(sink_, get("a") + get("b"), 2);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n:2\r\n");
  written(second_);
  second_.lost();
  turn();
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kUnknownOutcome));
  EXPECT_EQ(sink_.take(), ":2\r\n");
}

TEST_F(Redirected, AReplyThatIsCutOffElsewhereSaysSo) {
  first_->send(sink_, get("a"), 1);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n");
  say(second_, "$6\r\nsec");
  EXPECT_TRUE(first_->delivers_to(sink_));
  second_.lost();
  EXPECT_THAT(sink_.losses, ElementsAre(LostReplies::kFirstCut));
}

TEST_F(Redirected, LosingTheFirstConnectionLosesWhatIsElsewhereToo) {
  first_->send(sink_, get("a") + get("b"), 2);
  say(*first_, "-MOVED 1 127.0.0.1:7001\r\n");
  static_cast<UpstreamIo&>(*first_).lost();
  EXPECT_THAT(sink_.losses,
              ElementsAre(LostReplies::kUnknownOutcome, LostReplies::kUnknownOutcome));
  say(second_, ":1\r\n");  // nobody is there for it
  EXPECT_EQ(sink_.text, "");
}

TEST_F(Redirected, ReadonlyEndsTheConnectionAfterItsReplies) {
  const auto primary = connect(6379, Redirects::kNone);
  primary->send(sink_, get("a") + get("b"), 2);
  say(*primary, "-READONLY You can't write against a read only replica.\r\n");
  EXPECT_EQ(events_->not_primaries, 1);
  EXPECT_FALSE(primary->usable());
  EXPECT_FALSE(primary->must_close());
  say(*primary, ":2\r\n");
  EXPECT_TRUE(primary->must_close());
  EXPECT_THAT(sink_.take(), testing::AllOf(StartsWith("-READONLY"), HasSubstr(":2")));
}

// Random redirections, splits and losses: each request is carried out at most once by a node that
// has it, and its reply or the news of its loss comes in its place.
TEST_F(Redirected, RandomDialoguesKeepTheOrder) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t below) { return random() % below; };
    auto events = std::make_shared<Events>();
    std::map<uint16_t, std::shared_ptr<UpstreamFsm>> all;
    std::map<uint16_t, std::string> replies;  // not delivered yet
    std::map<uint16_t, RequestParser> parsers;
    std::map<uint16_t, std::string> inputs;
    events_ = events;
    for (const uint16_t port : {7000, 7001, 7002}) all[port] = connect(port);
    events->nodes = {{7001, all[7001]}, {7002, all[7002]}};
    RecordingSink sink;
    std::map<std::string, int> executed;
    const uint32_t count = 1 + static_cast<uint32_t>(pick(30));
    std::string requests;
    for (uint32_t i = 0; i < count; ++i) requests += get(std::to_string(i));
    all[7000]->send(sink, requests, count);
    for (int step = 0; step < 2000 && sink.replies < count; ++step) {
      const auto port = static_cast<uint16_t>(7000 + pick(3));
      UpstreamFsm& node = *all[port];
      inputs[port] += written(node);
      RequestParser& parser = parsers[port];
      if (parser.parse(inputs[port], {}) == RequestParser::Status::kRequest) {
        const std::string name(parser.request().name);
        const std::string key(parser.request().first);
        inputs[port].erase(0, parser.consumed());
        if (name == "ASKING") {
          replies[port] += kDone;
        } else if (pick(3) == 0) {
          replies[port] +=
              fmt::format("-{} 1 127.0.0.1:{}\r\n", pick(2) == 0 ? "MOVED" : "ASK", 7001 + pick(2));
        } else {
          ++executed[key];
          replies[port] += "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
        }
      }
      if (node.wants_input()) {
        const std::string part = replies[port].substr(0, pick(20));
        replies[port].erase(0, part.size());
        if (!part.empty()) say(node, part);
      }
      for (const auto& [any, upstream] : all) upstream->turn();
    }
    ASSERT_EQ(sink.replies, count) << "seed " << seed;
    std::string_view rest = sink.text;
    for (uint32_t i = 0; i < count; ++i) {
      const std::string key = std::to_string(i);
      const std::string expected = "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
      EXPECT_LE(executed[key], 1) << "seed " << seed;
      if (rest.starts_with(expected)) {
        rest.remove_prefix(expected.size());
        continue;
      }
      ASSERT_TRUE(rest.starts_with("-TRYAGAIN")) << "seed " << seed << ": " << rest;
      EXPECT_EQ(executed[key], 0) << "seed " << seed;
      rest.remove_prefix(rest.find("\r\n") + 2);
    }
    EXPECT_EQ(rest, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace partywall::cache
