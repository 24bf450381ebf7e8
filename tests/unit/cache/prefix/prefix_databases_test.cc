#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/prefix/key_prefix.h"
#include "cache/session_world.h"

// Several databases of a tenant whose keys have prefixes: acme has three, globex one.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PrefixDatabases : public testing::Test {
 protected:
  PrefixDatabases() {
    publish(3);
    ask("AUTH acme 'acme secret'\r\n");
  }
  void publish(uint32_t databases) {
    world_.publish([&](DirectoryData& data) {
      data.cells[0].cache.mode = CacheMode::kPrefix;
      data.tenants[0].cache_tag = "a";
      data.tenants[0].limits.cache_databases = databases;
      data.tenants[1].cache_tag = "a1";
    });
  }
  std::string ask(std::string_view bytes) { return world_.ask(*acme_, bytes); }
  std::map<std::string, std::string>& data() { return world_.redis.databases[0]; }

  SessionWorld world_;
  std::unique_ptr<FakeClient> acme_ = world_.connect();
};

using Data = std::map<std::string, std::string>;

TEST_F(PrefixDatabases, EachHasItsPartOfThePrefix) {
  EXPECT_EQ(ask("SET k 0\r\nSELECT 1\r\nGET k\r\nSET k 1\r\nSELECT 2\r\nSET k 2\r\nSELECT 0\r\nGET "
                "k\r\n"),
            "+OK\r\n+OK\r\n$-1\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n$1\r\n0\r\n");
  EXPECT_EQ(data(),
            (Data{{"tenant:{a}:k", "0"}, {"tenant:{a}.1:k", "1"}, {"tenant:{a}.2:k", "2"}}));
  EXPECT_THAT(ask("SELECT 3\r\n"), StartsWith("-ERR DB index is out of range"));
}

TEST_F(PrefixDatabases, CommandsAboutAllKeysAreAboutTheSelectedOne) {
  data() = {{"tenant:{a}:k", "0"},   {"tenant:{a}.1:x", "1"}, {"tenant:{a}.1:y", "1"},
            {"tenant:{a}.2:k", "2"}, {"tenant:{a1}:k", "g"},  {"tenant:{a", "n"}};
  EXPECT_EQ(ask("SELECT 1\r\nDBSIZE\r\nKEYS *\r\nSELECT 2\r\nDBSIZE\r\nRANDOMKEY\r\n"),
            "+OK\r\n:2\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n+OK\r\n:1\r\n$1\r\nk\r\n");
  EXPECT_THAT(ask("SELECT 1\r\nINFO\r\n"), HasSubstr("db1:keys=2,"));
  EXPECT_EQ(ask("FLUSHDB\r\nDBSIZE\r\nSELECT 0\r\nDBSIZE\r\n"), "+OK\r\n:0\r\n+OK\r\n:1\r\n");
  EXPECT_EQ(ask("SELECT 1\r\nFLUSHALL\r\n"), "+OK\r\n+OK\r\n");
  EXPECT_EQ(data(), (Data{{"tenant:{a1}:k", "g"}, {"tenant:{a", "n"}}));
}

TEST_F(PrefixDatabases, KeysAreCopiedAndMovedBetweenThem) {
  EXPECT_EQ(
      ask("SET k 0\r\nCOPY k k2\r\nCOPY k k DB 2\r\nCOPY k k DB 2\r\nCOPY k k DB 2 REPLACE\r\n"),
      "+OK\r\n:1\r\n:1\r\n:0\r\n:1\r\n");
  EXPECT_EQ(ask("MOVE k 1\r\nMOVE k 1\r\nMOVE k2 1\r\nSET k 9\r\nMOVE k 1\r\n"),
            ":1\r\n:0\r\n:1\r\n+OK\r\n:0\r\n");
  EXPECT_EQ(data(), (Data{{"tenant:{a}:k", "9"},
                          {"tenant:{a}.1:k", "0"},
                          {"tenant:{a}.1:k2", "0"},
                          {"tenant:{a}.2:k", "0"}}));
}

TEST_F(PrefixDatabases, ACopyRunsAsTheUserThatNoScriptHas) {
  ask("SET k 0\r\nCOPY k l\r\n");
  EXPECT_EQ(world_.redis.connections.back()->user(), kKeyspaceUser);
  EXPECT_EQ(ask("MOVE k 1\r\n"), ":1\r\n");
  EXPECT_THAT(world_.redis.log, testing::Contains(testing::ElementsAre("renamenx", "tenant:{a}:k",
                                                                       "tenant:{a}.1:k")));
  EXPECT_THAT(world_.redis.sets["partywall-keys:tenant:{a}:"], testing::Contains("l"));
  EXPECT_THAT(world_.redis.sets["partywall-keys:tenant:{a}.1:"], testing::ElementsAre("k"));
}

TEST_F(PrefixDatabases, NothingLeavesThem) {
  ask("SET k 0\r\nPING\r\n");
  const size_t before = world_.redis.log.size();
  for (const char* request :
       {"COPY k", "COPY k l DB", "COPY k l DB 3", "COPY k l DB -1", "COPY k l DB x",
        "COPY k l NOSUCH", "COPY k l DB 1 DB 3", "MOVE k", "MOVE k 3", "MOVE k -1", "MOVE k x",
        "MOVE k 0", "MOVE k 1 2", "SWAPDB 0 1", "SELECT 3", "SELECT -1"}) {
    EXPECT_THAT(ask(std::string(request) + "\r\n"), StartsWith("-")) << request;
  }
  EXPECT_EQ(world_.redis.log.size(), before);
  EXPECT_THAT(ask("MULTI\r\nCOPY k l\r\nEXEC\r\n"), HasSubstr("-EXECABORT"));
  EXPECT_THAT(ask("MULTI\r\nMOVE k 1\r\nEXEC\r\n"), HasSubstr("-EXECABORT"));
}

TEST_F(PrefixDatabases, AreGoneWithTheLimit) {
  EXPECT_EQ(ask("SELECT 2\r\nSET k 2\r\n"), "+OK\r\n+OK\r\n");
  publish(1);
  world_.settle(*acme_);
  EXPECT_THAT(ask("GET k\r\n"), StartsWith("-ERR DB index is out of range"));
  for (const auto& connection : world_.redis.connections) {
    // Keys of database 0 may be counted still.
    EXPECT_TRUE(connection->broken() || connection->user() == kIndexUser);
  }
}

TEST_F(PrefixDatabases, ABlockedClientStaysWhenAnotherDirectoryComes) {
  acme_->send("SELECT 1\r\nBLPOP list 0\r\n");
  world_.settle(*acme_);
  world_.clients = {acme_.get()};
  publish(3);
  world_.settle(*acme_);
  for (const auto& connection : world_.redis.connections) connection->unblock("v");
  world_.settle(*acme_);
  EXPECT_EQ(acme_->take(), "+OK\r\n*2\r\n$4\r\nlist\r\n$1\r\nv\r\n");
}

TEST(KeyPrefix, NoneBeginsAnotherOne) {
  std::vector<std::string> prefixes;
  for (const char* root : {"tenant:{a}", "tenant:{a1}", "tenant:a", "tenant:a1", "tenant:a-1"}) {
    for (uint32_t database = 0; database < 16; ++database)
      prefixes.push_back(key_prefix(root, database));
  }
  for (const std::string& one : prefixes) {
    for (const std::string& other : prefixes)
      EXPECT_TRUE(&one == &other || !other.starts_with(one)) << one << " " << other;
  }
  EXPECT_TRUE(is_own_key("tenant:a:k", "tenant:a") && is_own_key("tenant:a.1:k", "tenant:a"));
  for (const char* key : {"tenant:a", "tenant:a1:k", "tenant:a-1:k", "tenant:{a}:k"})
    EXPECT_FALSE(is_own_key(key, "tenant:a")) << key;
}

}  // namespace
}  // namespace partywall::cache
