#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_fsm.h"
#include "cache/session_world.h"

// SELECT and FLUSHALL. Acme has the databases 1 to 3 of the Redis, globex has 10.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Databases : public testing::Test {
 protected:
  Databases() { publish(3); }
  std::string ask(std::string_view bytes) { return world_.ask(*client_, bytes); }
  void publish(uint32_t databases) {
    world_.publish([&](DirectoryData& data) {
      data.tenants[0].limits.cache_databases = databases;
      data.tenants[1].cache_database = 10;
    });
  }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
};

constexpr const char* kLogin = "AUTH acme 'acme secret'\r\n";

TEST_F(Databases, EachIsOneOfTheTenantsOwn) {
  EXPECT_EQ(ask(std::string(kLogin) + "SET k zero\r\nSELECT 2\r\nGET k\r\nSET k two\r\nSELECT 0\r\n"
                                      "GET k\r\nSELECT 1\r\nGET k\r\n"),
            "+OK\r\n+OK\r\n+OK\r\n$-1\r\n+OK\r\n+OK\r\n$4\r\nzero\r\n+OK\r\n$-1\r\n");
  EXPECT_EQ(world_.redis.databases[1]["k"], "zero");
  EXPECT_EQ(world_.redis.databases[3]["k"], "two");
}

TEST_F(Databases, BeyondTheOwnOnesThereAreNone) {
  ask(kLogin);
  for (const char* number :
       {"3", "9", "10", "-1", "4294967296", "18446744073709551617", "x", "''"}) {
    EXPECT_THAT(ask("SELECT " + std::string(number) + "\r\n"), StartsWith("-ERR")) << number;
    EXPECT_THAT(ask("CLIENT INFO\r\n"), HasSubstr(" db=0 ")) << number;
  }
}

TEST_F(Databases, AnotherLoginOfTheSameTenantKeepsTheSelectedOne) {
  ask(std::string(kLogin) + "SELECT 1\r\n");
  EXPECT_EQ(ask("AUTH app " + world_.context(SessionWorld::acme()) + "\r\nSET k 1\r\n"),
            "+OK\r\n+OK\r\n");
  EXPECT_EQ(world_.redis.databases[2]["k"], "1");
  EXPECT_EQ(ask("RESET\r\n" + std::string(kLogin) + "GET k\r\n"), "+RESET\r\n+OK\r\n$-1\r\n");
}

// Another database of the tenant in its place would be a surprise, a neighbour's a catastrophe.
TEST_F(Databases, AreRefusedToATenantThatHasFewer) {
  ask(std::string(kLogin) + "SELECT 2\r\n");
  EXPECT_THAT(ask("AUTH app " + world_.context(SessionWorld::globex()) + "\r\nSET k 1\r\n"),
              HasSubstr("-ERR DB index is out of range"));
  EXPECT_EQ(ask("SELECT 0\r\nSET k 1\r\n"), "+OK\r\n+OK\r\n");
  EXPECT_EQ(world_.redis.databases[10]["k"], "1");
}

TEST_F(Databases, AreGoneWithTheLimit) {
  ask(std::string(kLogin) + "SELECT 2\r\nSET k 1\r\n");
  publish(1);
  world_.settle(*client_);
  EXPECT_THAT(ask("GET k\r\n"), StartsWith("-ERR DB index is out of range"));
  for (const auto& connection : world_.redis.connections) {
    EXPECT_TRUE(connection->broken() || connection->database() == 1);
  }
}

TEST_F(Databases, CannotBeChangedUnderATransactionOrAWatch) {
  ask(kLogin);
  EXPECT_THAT(ask("WATCH k\r\nSELECT 1\r\n"), HasSubstr("-ERR another database"));
  EXPECT_THAT(ask("UNWATCH\r\nMULTI\r\nSELECT 1\r\nEXEC\r\n"), HasSubstr("-EXECABORT"));
  EXPECT_EQ(ask("SELECT 1\r\n"), "+OK\r\n");
}

TEST_F(Databases, FlushallEmptiesAllOfTheTenantsAndNoOther) {
  for (const int database : {1, 2, 3, 4, 9, 10, 11}) world_.redis.databases[database]["k"] = "v";
  EXPECT_EQ(ask(std::string(kLogin) + "SELECT 1\r\nFLUSHALL\r\nPING\r\n"),
            "+OK\r\n+OK\r\n+OK\r\n+PONG\r\n");
  for (const int database : {1, 2, 3}) EXPECT_TRUE(world_.redis.databases[database].empty());
  for (const int database : {4, 9, 10, 11}) EXPECT_FALSE(world_.redis.databases[database].empty());
}

TEST_F(Databases, FlushallGivesOneAnswerWhereAConnectionIsLost) {
  ask(kLogin);
  client_->send("FLUSHALL\r\nPING\r\n");
  world_.redis.connections.back()->break_connection();
  world_.time.advance(seconds(1));
  world_.settle(*client_);
  const std::string answers = client_->take();
  EXPECT_THAT(answers, StartsWith("-ERR the connection to the cache was lost"));
  EXPECT_EQ(std::ranges::count(answers, '\n'), 2) << answers;
}

}  // namespace
}  // namespace partywall::cache
