#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_fsm.h"
#include "cache/session_world.h"
#include "cache/tracking/tracking_table.h"

// Client-side caching. Acme's keys are in database 1 of the Redis.
namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kChanged = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

class ClientSideCaching : public testing::Test {
 protected:
  ClientSideCaching() {
    world_.publish([](DirectoryData& data) { data.cells[0].cache.keyspace_events = true; });
    world_.clients = {client_.get(), other_.get(), stranger_.get()};
    world_.redis.databases[1]["k"] = "v";
    ask(*client_, "HELLO 3 AUTH acme 'acme secret'\r\n");
    ask(*other_, "AUTH acme 'acme secret'\r\n");
    ask(*stranger_, "AUTH globex 'globex secret'\r\n");
  }
  std::string ask(FakeClient& client, const std::string& bytes) {
    return world_.ask(client, bytes);
  }
  void track(const std::string& options = "") {
    ASSERT_EQ(ask(*client_, "CLIENT TRACKING ON" + options + "\r\n"), "+OK\r\n");
    feed_ = world_.redis.connections.back().get();
  }
  // What Redis tells of a change in acme's database.
  void change(const std::string& key) {
    feed_->push_pattern_message("__keyspace@1__:*", "__keyspace@1__:" + key, "set");
  }
  std::string told(FakeClient& client) {
    world_.settle(client);
    feed_->deliver(SIZE_MAX);
    world_.settle(client);
    return client.take();
  }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
  std::unique_ptr<FakeClient> other_ = world_.connect();
  std::unique_ptr<FakeClient> stranger_ = world_.connect();
  FakeRedis::Connection* feed_ = nullptr;
};

TEST_F(ClientSideCaching, TellsOnceOfWhatWasRead) {
  track();
  EXPECT_EQ(ask(*client_, "GET k\r\n"), "$1\r\nv\r\n");
  change("unread");
  EXPECT_EQ(told(*client_), "");
  change("k");
  EXPECT_EQ(told(*client_), kChanged);
  change("k");
  EXPECT_EQ(told(*client_), "");
  ask(*client_, "GET k\r\n");
  change("k");
  EXPECT_EQ(told(*client_), kChanged);
}

// Otherwise the client would keep what the answer says, and never hear that it was old.
TEST_F(ClientSideCaching, TellsBehindTheAnswerThatIsStillToCome) {
  track();
  client_->send("GET k\r\n");
  change("k");
  feed_->deliver(SIZE_MAX);
  EXPECT_EQ(client_->take(), "");
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "$1\r\nv\r\n" + std::string(kChanged));
}

TEST_F(ClientSideCaching, NeverTellsWithinAReply) {
  world_.redis.databases[1]["k"] = std::string(100, 'x');
  track();
  ask(*client_, "GET k\r\n");
  client_->send("GET k\r\n");
  auto& shared = *world_.redis.connections.front();
  for (auto& connection : world_.redis.connections) connection->take_requests(SIZE_MAX);
  for (auto& connection : world_.redis.connections) {
    if (connection.get() != feed_) connection->deliver(20);
  }
  change("k");
  feed_->deliver(SIZE_MAX);
  world_.settle(*client_);
  EXPECT_FALSE(shared.broken());
  const std::string said = client_->take();
  EXPECT_EQ(said, "$100\r\n" + std::string(100, 'x') + "\r\n" + std::string(kChanged));
}

TEST_F(ClientSideCaching, ATransactionReadsWhenItIsExecuted) {
  track();
  ask(*client_, "MULTI\r\nGET k\r\n");
  change("k");
  EXPECT_EQ(told(*client_), "");
  ask(*client_, "EXEC\r\n");
  change("k");
  EXPECT_EQ(told(*client_), kChanged);
}

TEST_F(ClientSideCaching, ByChoice) {
  track(" OPTIN");
  ask(*client_, "GET k\r\n");
  change("k");
  EXPECT_EQ(told(*client_), "");
  EXPECT_EQ(ask(*client_, "CLIENT CACHING YES\r\nGET k\r\n"), "+OK\r\n$1\r\nv\r\n");
  ask(*client_, "GET a\r\n");
  change("k");
  change("a");
  EXPECT_EQ(told(*client_), kChanged);
  EXPECT_THAT(ask(*client_, "CLIENT CACHING NO\r\n"), StartsWith("-ERR CLIENT CACHING NO"));
  EXPECT_THAT(ask(*client_, "CLIENT TRACKING ON OPTOUT\r\n"), StartsWith("-ERR You can't switch"));
  ask(*client_, "CLIENT TRACKING OFF\r\n");
  track(" OPTOUT NOLOOP");
  ask(*client_, "CLIENT CACHING NO\r\nGET k\r\n");
  change("k");
  EXPECT_EQ(told(*client_), "");
  ask(*client_, "GET k\r\nSET k v\r\n");
  change("k");
  EXPECT_EQ(told(*client_), "") << "it was the client itself";
  EXPECT_THAT(ask(*client_, "CLIENT TRACKINGINFO\r\n"),
              testing::AllOf(HasSubstr("optout"), HasSubstr("noloop")));
}

TEST_F(ClientSideCaching, RedirectsWithinTheTenantOnly) {
  EXPECT_THAT(
      ask(*client_, "CLIENT TRACKING ON REDIRECT " + std::to_string(stranger_->id) + "\r\n"),
      StartsWith("-ERR The client ID you want redirect to does not exist"));
  ask(*other_, "SUBSCRIBE __redis__:invalidate\r\n");
  track(" REDIRECT " + std::to_string(other_->id));
  EXPECT_EQ(ask(*client_, "CLIENT GETREDIR\r\n"), ":" + std::to_string(other_->id) + "\r\n");
  ask(*client_, "GET k\r\n");
  change("k");
  EXPECT_EQ(told(*client_), "");
  world_.settle(*other_);
  EXPECT_EQ(other_->take(),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n");
}

TEST_F(ClientSideCaching, AFlushIsTold) {
  track();
  ask(*client_, "GET k\r\n");
  ask(*other_, "FLUSHDB\r\n");
  const auto published = world_.redis.log.back();
  ASSERT_THAT(published, ElementsAre("publish", testing::EndsWith("flushed@0"), "1"));
  feed_->push_message(published[1], "1");
  EXPECT_EQ(told(*client_), ">2\r\n$10\r\ninvalidate\r\n_\r\n");
  ask(*other_, "MULTI\r\nFLUSHALL\r\nEXEC\r\n");
  EXPECT_THAT(world_.redis.log.back(), ElementsAre("publish", published[1], "1"));
}

TEST_F(ClientSideCaching, EndsTheClientWhenItCanNotBeTrustedAnyMore) {
  track();
  ask(*client_, "GET k\r\n");
  feed_->break_connection();
  world_.settle(*client_);
  EXPECT_TRUE(client_->session->finished());
  EXPECT_FALSE(other_->session->finished());
}

TEST_F(ClientSideCaching, IsRefusedWhereItWouldTellTooMuchOrNothing) {
  for (const char* words : {"ON BCAST", "ON PREFIX a", "ON X", "MAYBE", "ON OPTIN OPTOUT"})
    EXPECT_THAT(ask(*client_, "CLIENT TRACKING " + std::string(words) + "\r\n"), StartsWith("-"));
  world_.publish([](DirectoryData&) {});
  EXPECT_THAT(ask(*client_, "CLIENT TRACKING ON\r\n"),
              StartsWith("-NOPERM client-side caching needs keyspace notifications"));
}

TEST(TrackingTable, IsBoundedAndTellsOfWhatItGivesUp) {
  TrackingTable table(2);
  EXPECT_FALSE(table.remember("a", 1));
  EXPECT_FALSE(table.remember("b", 1));
  EXPECT_FALSE(table.remember("b", 2));
  const auto given_up = table.remember("c", 3);
  ASSERT_TRUE(given_up);
  EXPECT_TRUE(given_up->key == "a" || given_up->key == "b");
  EXPECT_EQ(table.size(), 2u);
  EXPECT_THAT(table.take("c"), ElementsAre(3));
  EXPECT_THAT(table.take("c"), IsEmpty());
}

}  // namespace
}  // namespace partywall::cache
