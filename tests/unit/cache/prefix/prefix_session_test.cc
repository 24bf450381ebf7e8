#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_world.h"

// Sessions of tenants whose keys have prefixes.
namespace partywall::cache {
namespace {

using testing::HasSubstr;

std::string request(std::initializer_list<std::string_view> words) { return make_request(words); }

class PrefixSession : public testing::Test {
 protected:
  PrefixSession() {
    world_.publish([](DirectoryData& data) { use_prefixes(data); });
    EXPECT_EQ(ask(*acme_, {"AUTH", "acme", "acme secret"}), "+OK\r\n");
    EXPECT_EQ(ask(*globex_, {"AUTH", "globex", "globex secret"}), "+OK\r\n");
  }

  static void use_prefixes(DirectoryData& data) {
    data.cells[0].cache.mode = CacheMode::kPrefix;
    data.tenants[0].cache_tag = "a";
    data.tenants[1].cache_placement = CachePlacement::kSpread;
    data.tenants[1].cache_tag = "g";
  }

  std::string ask(FakeClient& client, std::initializer_list<std::string_view> words) {
    return world_.ask(client, request(words));
  }
  // As the worker does every now and then.
  void write_down() {
    world_.host.indexes.flush(*world_.directory);
    world_.settle(*globex_);
  }
  std::map<std::string, std::string>& data() { return world_.redis.databases[0]; }

  SessionWorld world_;
  std::unique_ptr<FakeClient> acme_ = world_.connect();
  std::unique_ptr<FakeClient> globex_ = world_.connect();
};

TEST_F(PrefixSession, KeysOfTenantsAreApart) {
  EXPECT_EQ(ask(*acme_, {"SET", "k", "1"}), "+OK\r\n");
  EXPECT_EQ(ask(*globex_, {"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(ask(*globex_, {"SET", "k", "2"}), "+OK\r\n");
  EXPECT_EQ(ask(*acme_, {"GET", "k"}), "$1\r\n1\r\n");
  EXPECT_EQ(data(),
            (std::map<std::string, std::string>{{"tenant:{a}:k", "1"}, {"tenant:g:k", "2"}}));
}

TEST_F(PrefixSession, RepliesKeepTheOrderOfRequestsInAPipeline) {
  const std::string answers =
      world_.ask(*acme_, request({"SET", "k", "1"}) + request({"PING"}) + request({"NOSUCH"}) +
                             request({"GET", "k"}) + request({"DBSIZE"}) + request({"KEYS", "*"}) +
                             request({"GET", "x"}) + request({"PING"}));
  EXPECT_THAT(answers,
              testing::MatchesRegex("\\+OK\r\n\\+PONG\r\n-ERR unknown[^\r]*\r\n\\$1\r\n1"
                                    "\r\n:1\r\n\\*1\r\n\\$1\r\nk\r\n\\$-1\r\n\\+PONG\r\n"));
}

TEST_F(PrefixSession, CommandsAboutAllKeysSeeTheTenantsOnly) {
  for (const char* key : {"tenant:{a}:1", "tenant:{a}:2", "tenant:g:1", "tenant:{a", "x", "y"})
    data()[key] = "v";
  EXPECT_EQ(ask(*acme_, {"DBSIZE"}), ":2\r\n");
  EXPECT_EQ(ask(*globex_, {"dbsize"}), ":1\r\n");
  EXPECT_EQ(ask(*acme_, {"KEYS", "*"}), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_EQ(ask(*globex_, {"RANDOMKEY"}), "$1\r\n1\r\n");
  EXPECT_THAT(ask(*acme_, {"INFO"}), HasSubstr("db0:keys=2,"));
  EXPECT_EQ(ask(*acme_, {"FLUSHALL"}), "+OK\r\n");
  EXPECT_EQ(ask(*acme_, {"RANDOMKEY"}), "$-1\r\n");
  EXPECT_EQ(data().size(), 4U);
  EXPECT_EQ(ask(*globex_, {"KEYS", "*"}), "*1\r\n$1\r\n1\r\n");
}

TEST_F(PrefixSession, ChecksTheFormOfWhatItCarriesOutItself) {
  EXPECT_THAT(ask(*acme_, {"KEYS"}), HasSubstr("wrong number of arguments"));
  EXPECT_THAT(ask(*acme_, {"SCAN"}), HasSubstr("wrong number of arguments"));
  EXPECT_THAT(ask(*acme_, {"DBSIZE", "x"}), HasSubstr("wrong number of arguments"));
  EXPECT_EQ(ask(*acme_, {"FLUSHALL", "x"}), "-ERR syntax error\r\n");
}

TEST_F(PrefixSession, ReplyThatNamesAKeyIsWithoutPrefix) {
  acme_->send(request({"BLPOP", "list", "0"}));
  world_.settle(*acme_);
  for (const auto& connection : world_.redis.connections) connection->unblock("value");
  world_.settle(*acme_);
  EXPECT_EQ(acme_->take(), "*2\r\n$4\r\nlist\r\n$5\r\nvalue\r\n");
}

TEST_F(PrefixSession, TransactionsHavePrefixesToo) {
  EXPECT_EQ(
      world_.ask(*acme_, request({"WATCH", "k"}) + request({"MULTI"}) + request({"SET", "k", "1"}) +
                             request({"GET", "k"}) + request({"EXEC"})),
      "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$1\r\n1\r\n");
  EXPECT_TRUE(data().contains("tenant:{a}:k"));
  const std::string refused =
      world_.ask(*acme_, request({"MULTI"}) + request({"KEYS", "*"}) + request({"EXEC"}));
  EXPECT_THAT(refused, HasSubstr("'keys' is not available inside MULTI here"));
  EXPECT_THAT(refused, HasSubstr("-EXECABORT"));
}

TEST_F(PrefixSession, SortByPatternRunsAsTheUserThatMayReadPatterns) {
  EXPECT_EQ(ask(*acme_, {"SORT", "k"}), "$12\r\ntenant:{a}:k\r\n");
  const size_t before = world_.redis.connections.size();
  EXPECT_EQ(ask(*acme_, {"SORT", "k", "BY", "w_*"}), "$12\r\ntenant:{a}:k\r\n");
  EXPECT_EQ(world_.redis.connections.size(), before + 1);
  EXPECT_EQ(world_.redis.connections.back()->user(), kKeyspaceUser);
  EXPECT_EQ(world_.redis.log.back()[3], "tenant:{a}:w_*");
}

TEST_F(PrefixSession, ALostRedisEndsTheJobWithAnError) {
  acme_->send(request({"KEYS", "*"}) + request({"PING"}));
  for (const auto& connection : world_.redis.connections) connection->break_connection();
  world_.settle(*acme_);
  EXPECT_THAT(acme_->take(), testing::MatchesRegex("-ERR [^\r]*\r\n(-ERR [^\r]*\r\n|\\+PONG\r\n)"));
}

TEST_F(PrefixSession, AClientThatLeavesDuringAJobLeavesNothingBehind) {
  data()["tenant:{a}:1"] = "v";
  acme_->send(request({"KEYS", "*"}));
  acme_.reset();
  while (world_.redis.run()) {
  }
  EXPECT_EQ(ask(*globex_, {"KEYS", "*"}), "*0\r\n");
}

TEST_F(PrefixSession, AnotherTagIsAnotherTarget) {
  EXPECT_EQ(ask(*acme_, {"SET", "k", "1"}), "+OK\r\n");
  world_.publish([](DirectoryData& data) {
    use_prefixes(data);
    data.tenants[0].cache_tag = "b";
  });
  EXPECT_EQ(ask(*acme_, {"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(ask(*acme_, {"SET", "k", "2"}), "+OK\r\n");
  EXPECT_TRUE(data().contains("tenant:{b}:k"));
}

TEST_F(PrefixSession, KeysAreWrittenDownWhenTheyAreThere) {
  EXPECT_EQ(ask(*acme_, {"SET", "k", "1"}), "+OK\r\n");
  EXPECT_EQ(ask(*acme_, {"PING"}), "+PONG\r\n");
  EXPECT_EQ(ask(*globex_, {"SET", "g", "1"}), "+OK\r\n");
  write_down();
  const auto& sets = world_.redis.sets;
  EXPECT_EQ(sets.at("partywall-keys:tenant:{a}:"), std::set<std::string>{"k"});
  EXPECT_EQ(sets.at("partywall-keys:tenant:g:"), std::set<std::string>{"g"});
  const auto is_from_index = [&](const auto& words) {
    return words[0] == "sadd" || words[0] == "scard";
  };
  EXPECT_TRUE(std::ranges::any_of(world_.redis.log, is_from_index));
  for (const auto& connection : world_.redis.connections) {
    if (connection->user() != kIndexUser) continue;
    EXPECT_FALSE(connection->broken());
  }
}

TEST_F(PrefixSession, AKeyThatIsWrittenAgainIsWrittenDownOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(*acme_, {"SET", "k", "1"}), "+OK\r\n");
  write_down();
  EXPECT_EQ(
      std::ranges::count_if(world_.redis.log, [](const auto& words) { return words[0] == "sadd"; }),
      1);
}

TEST_F(PrefixSession, NearTheQuotaItIsWrittenDownAtOnce) {
  world_.publish([](DirectoryData& data) {
    use_prefixes(data);
    data.tenants[0].limits.cache_keys = 3;  // that is never much room
  });
  const auto& sets = world_.redis.sets;
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(ask(*acme_, {"SET", key, "1"}), "+OK\r\n");
  EXPECT_EQ(ask(*acme_, {"PING"}), "+PONG\r\n");
  EXPECT_EQ(sets.at("partywall-keys:tenant:{a}:"), (std::set<std::string>{"a", "b", "c"}));
}

TEST_F(PrefixSession, WhatAFlushRemovesIsNotWrittenDownBehindIt) {
  EXPECT_EQ(ask(*acme_, {"SET", "k", "1"}), "+OK\r\n");
  auto& names = world_.redis.sets["partywall-keys:tenant:{a}:"];
  EXPECT_FALSE(names.contains("k"));
  EXPECT_EQ(ask(*acme_, {"FLUSHDB"}), "+OK\r\n");
  EXPECT_TRUE(names.contains("k")) << "before it";
}

TEST_F(PrefixSession, AtTheQuotaTheNextKeyIsRefused) {
  world_.publish([](DirectoryData& data) {
    use_prefixes(data);
    data.tenants[0].limits.cache_keys = 3;
  });
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(ask(*acme_, {"SET", key, "1"}), "+OK\r\n");
  EXPECT_THAT(ask(*acme_, {"SET", "d", "1"}), HasSubstr("-OOM command not allowed"));
  EXPECT_EQ(ask(*globex_, {"SET", "d", "1"}), "+OK\r\n");
  EXPECT_EQ(ask(*acme_, {"GET", "a"}), "$1\r\n1\r\n");
}

TEST_F(PrefixSession, AClientThatLeavesBeforeTheAnswerLeavesItsKeysWrittenDown) {
  acme_->send(request({"SET", "a", "1"}));
  world_.settle(*acme_);
  acme_->send(request({"SET", "k", "1"}));
  acme_.reset();
  EXPECT_EQ(ask(*globex_, {"PING"}), "+PONG\r\n");
  world_.settle(*globex_);
  write_down();
  EXPECT_EQ(world_.redis.sets.at("partywall-keys:tenant:{a}:"), (std::set<std::string>{"a", "k"}));
}

}  // namespace
}  // namespace partywall::cache
