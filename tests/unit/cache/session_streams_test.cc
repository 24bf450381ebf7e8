#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_fsm.h"
#include "cache/session_world.h"

// Requests with big arguments, and clients that send more than Redis takes.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Streams : public testing::Test {
 protected:
  Streams() {
    world_.limits.stream_above_bytes = 1'000;
    world_.limits.upstream_pause_bytes = 10'000;
    log_in(*client_);
    log_in(*other_);
  }
  void log_in(FakeClient& client) {
    ASSERT_EQ(world_.ask(client, "AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  }
  // A SET of so many bytes.
  static std::string big_set(size_t bytes) {
    return make_request({"SET", "big", std::string(bytes, 'x')});
  }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
  std::unique_ptr<FakeClient> other_ = world_.connect();
};

TEST_F(Streams, AreTheSameAsAnyRequestInWhateverPiecesTheyCome) {
  for (const size_t piece : {1'001u, 1'500u, 4'000u, 100'000u}) {
    const std::string bytes = big_set(20'000) + make_request({"GET", "big"});
    for (size_t at = 0; at < bytes.size(); at += piece) {
      client_->send(std::string_view(bytes).substr(at, piece));
      world_.settle(*client_);
    }
    const std::string answers = client_->take();
    EXPECT_THAT(answers, StartsWith("+OK\r\n$20000\r\nxxx"));
    EXPECT_EQ(answers.size(), 5 + 8 + 20'000 + 2);
    world_.redis.databases[1].clear();
  }
}

TEST_F(Streams, HavePrefixesBeforeTheirKeysInPrefixMode) {
  world_.publish([](DirectoryData& data) {
    data.cells[0].cache.mode = CacheMode::kPrefix;
    data.tenants[0].cache_tag = "a";
  });
  for (const size_t piece : {1'001u, 1'500u, 4'000u, 100'000u}) {
    const std::string bytes = big_set(20'000) + make_request({"GET", "big"}) +
                              make_request({"DEL", "x", "big", std::string(3'000, 'k'), "y"});
    for (size_t at = 0; at < bytes.size(); at += piece) {
      client_->send(std::string_view(bytes).substr(at, piece));
      world_.settle(*client_);
    }
    const std::string answers = client_->take();
    EXPECT_THAT(answers, StartsWith("+OK\r\n$20000\r\nxxx"));
    EXPECT_THAT(answers, testing::EndsWith("\r\n:1\r\n"));
    EXPECT_THAT(world_.redis.log.back(),
                testing::ElementsAre("del", "tenant:{a}:x", "tenant:{a}:big",
                                     "tenant:{a}:" + std::string(3'000, 'k'), "tenant:{a}:y"));
    EXPECT_TRUE(world_.redis.databases[0].empty());
  }
}

// One that never comes to its end would otherwise hold up everybody on the shared connection.
TEST_F(Streams, DoNotHoldUpTheTenantsOtherClients) {
  client_->send(big_set(20'000).substr(0, 5'000));
  world_.settle(*client_);
  EXPECT_EQ(world_.ask(*other_, "SET a 1\r\n"), "+OK\r\n");
  client_.reset();
  EXPECT_EQ(world_.ask(*other_, "GET a\r\nGET big\r\n"), "$1\r\n1\r\n$-1\r\n");
  world_.redis.run();
  for (const auto& connection : world_.redis.connections)
    EXPECT_TRUE(connection->broken() || connection->upstream().output().empty());
}

TEST_F(Streams, AreTakenNoFasterThanRedisTakesThem) {
  world_.ask(*client_, "SET a 1\r\n");  // what the tenant has is counted before its first write
  const std::string bytes = big_set(200'000);
  size_t sent = 0;
  while (client_->session->wants_input() && sent < bytes.size()) {
    client_->send(std::string_view(bytes).substr(sent, 2'000));
    sent += 2'000;
  }
  EXPECT_LT(sent, 20'000u);
  while (sent < bytes.size()) {
    world_.settle(*client_);
    ASSERT_TRUE(client_->session->wants_input());
    client_->send(std::string_view(bytes).substr(sent, 2'000));
    sent += 2'000;
  }
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "+OK\r\n");
}

TEST_F(Streams, ManySmallRequestsAreTakenNoFasterEither) {
  const std::string one = make_request({"SET", "k", std::string(500, 'x')});
  size_t sent = 0;
  while (client_->session->wants_input() && sent < 1'000) {
    client_->send(one);
    ++sent;
  }
  EXPECT_LT(sent, 300u) << "until the read-ahead is full";
  world_.settle(*client_);
  EXPECT_EQ(client_->take().size(), 5 * sent);
}

TEST_F(Streams, ThatAreRefusedAreReadToTheirEnd) {
  const std::string bytes =
      make_request({"MIGRATE", "a", std::string(20'000, 'x')}) + make_request({"PING"});
  for (size_t at = 0; at < bytes.size(); at += 700) {
    client_->send(std::string_view(bytes).substr(at, 700));
    world_.settle(*client_);
  }
  const std::string answers = client_->take();
  EXPECT_THAT(answers, StartsWith("-NOPERM 'migrate'"));
  EXPECT_THAT(answers, HasSubstr("\r\n+PONG\r\n"));
  world_.publish([](DirectoryData& data) { data.tenants[0].status = TenantStatus::kReadOnly; });
  client_->send(big_set(20'000).substr(0, 2'000));
  client_->send(big_set(20'000).substr(2'000) + make_request({"PING"}));
  world_.settle(*client_);
  EXPECT_THAT(client_->take(), testing::AllOf(StartsWith("-NOPERM tenant acme is read-only"),
                                              HasSubstr("\r\n+PONG\r\n")));
}

TEST_F(Streams, ThatBreakTheProtocolEndTheConnectionOnBothSides) {
  std::string bytes = big_set(20'000);
  bytes[bytes.size() - 2] = 'x';
  client_->send(bytes.substr(0, 5'000));
  client_->send(bytes.substr(5'000) + make_request({"SET", "injected", "1"}));
  world_.settle(*client_);
  EXPECT_THAT(client_->take(), StartsWith("-ERR Protocol error"));
  EXPECT_TRUE(client_->session->finished());
  EXPECT_TRUE(world_.redis.databases[1].empty());
}

TEST_F(Streams, GiveOneAnswerWhenTheConnectionToRedisIsLost) {
  for (const size_t at : {1'500u, 5'000u, 19'999u}) {
    const std::string bytes = big_set(20'000);
    client_->send(bytes.substr(0, at));
    world_.settle(*client_);
    world_.redis.connections.back()->break_connection();
    client_->send(bytes.substr(at) + "ECHO after\r\n");
    world_.time.advance(seconds(1));
    world_.settle(*client_);
    EXPECT_THAT(client_->take(), testing::MatchesRegex("-ERR the connection to the cache was "
                                                       "lost[^\n]*\n\\$5\r\nafter\r\n"));
  }
}

TEST_F(Streams, InATransactionGoTheSameWayAsTheRest) {
  client_->send("MULTI\r\n" + big_set(20'000).substr(0, 3'000));
  world_.settle(*client_);
  client_->send(big_set(20'000).substr(3'000) + "EXEC\r\n");
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
  EXPECT_EQ(world_.redis.databases[1]["big"].size(), 20'000u);
}

// What cannot be passed on in parts is bounded by the tenant.
TEST_F(Streams, UnfinishedRequestsTakeABoundedShareOfMemory) {
  BufferBudget budget(100);
  BufferBudget::Units a, b, c;
  const TenantNumber acme(1), globex(2);
  EXPECT_TRUE(a.resize(budget, acme, 60));
  EXPECT_FALSE(b.resize(budget, acme, 41));
  EXPECT_TRUE(b.resize(budget, acme, 40));
  EXPECT_TRUE(c.resize(budget, globex, 100));
  EXPECT_TRUE(a.resize(budget, acme, 10));
  EXPECT_TRUE(b.resize(budget, acme, 90));
  EXPECT_TRUE(c.resize(budget, acme, 0));
  a.release();
  b.release();
  EXPECT_EQ(budget.used(acme) + budget.used(globex), 0u);

  const std::string publish = make_request({"PUBLISH", "c", std::string(8UL << 20, 'x')});
  std::vector<std::unique_ptr<FakeClient>> crowd;
  size_t refused = 0;
  for (int i = 0; i < 12; ++i) {
    crowd.push_back(world_.connect());
    log_in(*crowd.back());
    crowd.back()->send(std::string_view(publish).substr(0, publish.size() - 10));
    if (crowd.back()->session->finished()) {
      EXPECT_THAT(crowd.back()->take(), StartsWith("-LIMIT the unfinished requests"));
      ++refused;
    }
  }
  EXPECT_EQ(refused, 5u) << "7 times 8 MiB are below 64 MiB";
  EXPECT_EQ(world_.ask(*other_, "ECHO x\r\n"), "$1\r\nx\r\n");
}

}  // namespace
}  // namespace partywall::cache
