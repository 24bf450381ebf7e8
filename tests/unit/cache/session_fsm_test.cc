#include "cache/session_fsm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_world.h"

namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Session : public testing::Test {
 protected:
  std::string ask(std::string_view bytes) { return world_.ask(*client_, bytes); }
  void log_in() { ASSERT_EQ(ask("AUTH acme 'acme secret'\r\n"), "+OK\r\n"); }
  FakeRedis::Connection& last_connection() { return *world_.redis.connections.back(); }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
};

TEST_F(Session, WithoutALoginNothingIsServed) {
  EXPECT_THAT(ask("GET a\r\nPING\r\nINFO\r\n"), StartsWith("-NOAUTH"));
  EXPECT_THAT(ask("HELLO 3\r\n"), StartsWith("-NOAUTH"));
  EXPECT_THAT(world_.redis.connections, IsEmpty());
}

TEST_F(Session, LogsInWithSecretOrContext) {
  EXPECT_EQ(ask("AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  EXPECT_EQ(ask("AUTH \"acme:acme secret\"\r\n"), "+OK\r\n");
  EXPECT_EQ(ask("AUTH app " + world_.context(SessionWorld::globex()) + "\r\nACL WHOAMI\r\n"),
            "+OK\r\n$3\r\napp\r\n");
  EXPECT_EQ(ask("AUTH " + world_.context(SessionWorld::acme()) + "\r\n"), "+OK\r\n");
  EXPECT_EQ(ask("AUTH acme " + world_.context(SessionWorld::acme(), Audience::kAny) + "\r\n"),
            "+OK\r\n");
  EXPECT_THAT(ask("HELLO 3 AUTH acme 'acme secret' SETNAME me\r\nCLIENT GETNAME\r\n"),
              testing::AllOf(StartsWith("%7\r\n$6\r\nserver\r\n"), HasSubstr("$2\r\nme\r\n")));
}

TEST_F(Session, RefusesOtherLogins) {
  const std::string context = world_.context(SessionWorld::globex());
  std::string forged = context;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& words :
       {std::string("acme wrong"), std::string("nobody 'acme secret'"),
        std::string("app 'app secret'"), std::string("globex 'acme secret'"),
        std::string("acme ''"), std::string("'acme secret'"), "acme " + context,
        "nobody " + context, "app " + forged,
        "app " + world_.context(SessionWorld::acme(), Audience::kSql),
        "app " + world_.context(TenantId(Uuid::from_halves(9, 9)))}) {
    client_ = world_.connect();
    EXPECT_THAT(ask("AUTH " + words + "\r\n"), StartsWith("-WRONGPASS")) << words;
    EXPECT_THAT(ask("GET a\r\n"), StartsWith("-NOAUTH")) << words;
  }
}

TEST_F(Session, ClosesAfterManyWrongPasswords) {
  for (uint32_t i = 0; i < world_.limits.max_failed_logins; ++i) {
    EXPECT_FALSE(client_->session->finished());
    ask("AUTH acme wrong\r\n");
  }
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, ATenantsClientsAreBoundedAndNobodyElses) {
  std::vector<std::unique_ptr<FakeClient>> clients;
  for (uint32_t i = 0; i < world_.seats.limit(); ++i) {
    clients.push_back(world_.connect());
    ASSERT_EQ(world_.ask(*clients.back(), "AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  }
  // In whatever way it logs in; and what follows in the same packet is not served.
  for (const std::string& login : {std::string("AUTH acme 'acme secret'\r\nGET a\r\n"),
                                   std::string("HELLO 3 AUTH acme 'acme secret'\r\nGET a\r\n"),
                                   "AUTH " + world_.context(SessionWorld::acme()) + "\r\n"}) {
    client_ = world_.connect();
    EXPECT_EQ(ask(login), "-LIMIT this tenant has 200 clients already, close some of them\r\n");
    EXPECT_TRUE(client_->session->finished());
  }
  client_ = world_.connect();
  EXPECT_EQ(ask("AUTH globex 'globex secret'\r\n"), "+OK\r\n");
  // A client that logs in again keeps its seat; one that logs out or goes gives it back.
  EXPECT_EQ(world_.ask(*clients[0], "AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  EXPECT_EQ(world_.ask(*clients[0], "RESET\r\n"), "+RESET\r\n");
  clients.pop_back();
  for (int i = 0; i < 2; ++i) {
    clients.push_back(world_.connect());
    EXPECT_EQ(world_.ask(*clients.back(), "AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  }
}

TEST_F(Session, ARefusedAuthEndsThePreviousLogin) {
  // Redis keeps it. Here the requests behind it would run for the wrong tenant.
  log_in();
  EXPECT_EQ(ask("SET k acme\r\n"), "+OK\r\n");
  const std::string answers = ask("AUTH app pw1.nonsense\r\nGET k\r\n");
  EXPECT_THAT(answers, testing::AllOf(StartsWith("-WRONGPASS"), HasSubstr("\r\n-NOAUTH"),
                                      Not(HasSubstr("acme"))));
  log_in();
  EXPECT_THAT(ask("HELLO 3 AUTH app\r\nGET k\r\n"), HasSubstr("-NOAUTH"));
}

TEST_F(Session, SwitchesTenantsInOnePacket) {
  const std::string to_acme = "AUTH app " + world_.context(SessionWorld::acme()) + "\r\n";
  const std::string to_globex = "AUTH app " + world_.context(SessionWorld::globex()) + "\r\n";
  EXPECT_EQ(ask(to_acme + "SET k A\r\nGET k\r\n" + to_globex + "GET k\r\nSET k G\r\n" + to_acme +
                "GET k\r\n" + to_globex + "GET k\r\n"),
            "+OK\r\n+OK\r\n$1\r\nA\r\n+OK\r\n$-1\r\n+OK\r\n+OK\r\n$1\r\nA\r\n+OK\r\n$1\r\nG\r\n");
  for (const auto& connection : world_.redis.connections) {
    EXPECT_EQ(
        connection->user(),
        tenant_user(connection->database() == 1 ? SessionWorld::acme() : SessionWorld::globex()));
  }
}

TEST_F(Session, AnExpiredContextBeginsNothing) {
  ask("AUTH app " + world_.context(SessionWorld::acme(), Audience::kCache, seconds(10)) + "\r\n");
  EXPECT_EQ(ask("SET a 1\r\n"), "+OK\r\n");
  world_.time.advance(seconds(10));
  EXPECT_THAT(ask("GET a\r\n"), StartsWith("-NOAUTH the context has expired"));
}

TEST_F(Session, SendsNothingBeforeRedisHasLockedTheConnection) {
  log_in();
  client_->send("GET a\r\n");
  FakeRedis::Connection& connection = last_connection();
  EXPECT_THAT(std::string(connection.upstream().output()), Not(HasSubstr("GET")));
  world_.redis.refuse_select = "-ERR DB index is out of range\r\n";
  world_.settle(*client_);
  EXPECT_THAT(client_->take(), HasSubstr("-ERR the cache cannot be reached"));
  EXPECT_THAT(world_.redis.log, IsEmpty());
  EXPECT_TRUE(connection.broken());
}

TEST_F(Session, TriesAgainAfterAPause) {
  log_in();
  world_.redis.refuse_connections = true;
  EXPECT_THAT(ask("GET a\r\n"), HasSubstr("cannot be reached"));
  EXPECT_THAT(ask("GET a\r\n"), HasSubstr("cannot be reached"));
  world_.redis.refuse_connections = false;
  EXPECT_THAT(ask("GET a\r\n"), HasSubstr("cannot be reached"));
  world_.time.advance(world_.upstream_limits.backoff.first);
  EXPECT_EQ(ask("GET a\r\n"), "$-1\r\n");
}

TEST_F(Session, AnswersForTheTenantAlone) {
  log_in();
  ask("SET a 1\r\n");
  EXPECT_EQ(
      ask("SELECT 0\r\nSELECT 1\r\nSELECT x\r\n"),
      "+OK\r\n-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n");
  EXPECT_THAT(ask("INFO\r\n"),
              testing::AllOf(HasSubstr("redis_version:7.0.15"), HasSubstr("db0:keys=1,"),
                             HasSubstr("maxmemory_policy:allkeys-lru")));
  EXPECT_EQ(ask("CONFIG GET data*\r\n"), "*2\r\n$9\r\ndatabases\r\n$1\r\n1\r\n");
  EXPECT_EQ(ask("CONFIG GET requirepass\r\n"), "*0\r\n");
  EXPECT_THAT(ask("CLIENT LIST\r\n"), HasSubstr("addr=127.0.0.1:1"));
  EXPECT_EQ(ask("CLUSTER INFO\r\n").substr(0, 7), "-NOPERM");
  EXPECT_THAT(ask("ROLE\r\n"), HasSubstr("master"));
  EXPECT_EQ(ask("FLUSHALL\r\n"), "+OK\r\n");
  EXPECT_THAT(world_.redis.log.back(), testing::ElementsAre("flushdb", "ASYNC"));
}

TEST_F(Session, RefusesWhatLeavesTheTenant) {
  log_in();
  world_.redis.log.clear();
  for (const char* request :
       {"SWAPDB 0 1", "MOVE a 1", "COPY a b DB 2", "CONFIG SET x y", "DEBUG SLEEP 1", "MONITOR",
        "SCRIPT KILL", "FUNCTION FLUSH", "CLIENT TRACKING ON BCAST", "CLIENT PAUSE 1", "ACL LIST",
        "SHUTDOWN", "KEYZ *", "CLIENT|ID", "CLUSTER SLOTS", "WAIT 1 0", "SYNC"}) {
    EXPECT_THAT(ask(std::string(request) + "\r\n"), StartsWith("-")) << request;
  }
  EXPECT_THAT(world_.redis.log, IsEmpty());
}

TEST_F(Session, PutsItsOwnAnswersInTheirTurn) {
  log_in();
  client_->send("SET a 1\r\nSELECT 0\r\nGET a\r\nSELECT 9\r\nSWAPDB 1 2\r\nPING\r\n");
  EXPECT_THAT(client_->take(), IsEmpty());
  world_.settle(*client_);
  EXPECT_THAT(client_->take(),
              StartsWith("+OK\r\n+OK\r\n$1\r\n1\r\n-ERR DB index is out of range\r\n-NOPERM"));
}

TEST_F(Session, PutsItsOwnAnswersInTheirTurnBehindOthersReplies) {
  log_in();
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  client_->send("PING\r\n");
  other->send("PING\r\n");
  client_->send("SELECT 0\r\n");
  client_->send("SELECT 1\r\n");
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "+PONG\r\n+OK\r\n-ERR DB index is out of range\r\n");
  EXPECT_EQ(other->take(), "+PONG\r\n");
}

TEST_F(Session, RunsTransactionsOnAConnectionOfTheirOwn) {
  log_in();
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  EXPECT_EQ(ask("SET a 1\r\nMULTI\r\nSET a 2\r\n"), "+OK\r\n+OK\r\n+QUEUED\r\n");
  EXPECT_EQ(world_.ask(*other, "GET a\r\n"), "$1\r\n1\r\n");
  EXPECT_EQ(ask("EXEC\r\nGET a\r\n"), "*1\r\n+OK\r\n$1\r\n2\r\n");
  EXPECT_EQ(world_.redis.connections.size(), 2u);
  EXPECT_EQ(ask("MULTI\r\nDISCARD\r\nMULTI\r\nEXEC\r\n"), "+OK\r\n+OK\r\n+OK\r\n*0\r\n");
  EXPECT_EQ(world_.redis.connections.size(), 2u) << "a clean connection is used again";
  EXPECT_EQ(ask("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(ask("DISCARD\r\n"), "-ERR DISCARD without MULTI\r\n");
}

TEST_F(Session, WatchesUntilTheTransactionEnds) {
  log_in();
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  EXPECT_EQ(ask("WATCH a\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
  world_.ask(*other, "SET a 1\r\n");
  EXPECT_EQ(ask("MULTI\r\nSET a 2\r\nEXEC\r\nGET a\r\n"), "+OK\r\n+QUEUED\r\n*-1\r\n$1\r\n1\r\n");
  EXPECT_EQ(ask("WATCH a\r\nUNWATCH\r\nUNWATCH\r\nGET a\r\n"), "+OK\r\n+OK\r\n+OK\r\n$1\r\n1\r\n");
}

TEST_F(Session, ATransactionWithARefusedCommandIsNotCarriedOut) {
  log_in();
  EXPECT_THAT(
      ask("MULTI\r\nSET a 1\r\nSWAPDB 0 1\r\nEXEC\r\nGET a\r\n"),
      testing::AllOf(HasSubstr("-NOPERM"), HasSubstr("-EXECABORT"), testing::EndsWith("$-1\r\n")));
  EXPECT_THAT(ask("MULTI\r\nINFO\r\nEXEC\r\n"),
              testing::AllOf(HasSubstr("-ERR 'info'"), HasSubstr("-EXECABORT")));
}

TEST_F(Session, AuthInsideMultiEndsBoth) {
  log_in();
  EXPECT_THAT(ask("MULTI\r\nSET a 1\r\nAUTH globex 'globex secret'\r\nSET b 1\r\nEXEC\r\n"),
              testing::AllOf(HasSubstr("-ERR AUTH inside MULTI"), HasSubstr("-NOAUTH")));
  EXPECT_THAT(world_.redis.databases[1], IsEmpty());
  EXPECT_THAT(world_.redis.databases[2], IsEmpty());
  log_in();
  EXPECT_EQ(ask("GET a\r\n"), "$-1\r\n");
}

TEST_F(Session, ResetForgetsEverything) {
  log_in();
  EXPECT_EQ(ask("CLIENT SETNAME x\r\nMULTI\r\nSET a 1\r\nRESET\r\n"),
            "+OK\r\n+OK\r\n+QUEUED\r\n+RESET\r\n");
  EXPECT_THAT(ask("GET a\r\n"), StartsWith("-NOAUTH"));
  log_in();
  EXPECT_EQ(ask("CLIENT GETNAME\r\nGET a\r\n"), "$-1\r\n$-1\r\n");
}

TEST_F(Session, ABlockingCommandHoldsUpNobodyElse) {
  log_in();
  const auto other = world_.connect();
  world_.ask(*other, "AUTH acme 'acme secret'\r\n");
  EXPECT_EQ(ask("SET a 1\r\nBLPOP q 0\r\nGET a\r\n"), "+OK\r\n");
  EXPECT_EQ(world_.ask(*other, "GET a\r\n"), "$1\r\n1\r\n");
  ASSERT_TRUE(last_connection().blocked());
  last_connection().unblock("v");
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "*2\r\n$1\r\nq\r\n$1\r\nv\r\n$1\r\n1\r\n");
}

TEST_F(Session, AClientThatGoesAwayTakesItsBlockedCommandAlong) {
  log_in();
  ask("BLPOP q 0\r\n");
  client_->session->input_ended();
  EXPECT_TRUE(client_->session->finished());
  client_.reset();
  world_.redis.run();
  EXPECT_TRUE(last_connection().broken());
}

TEST_F(Session, AnswersWhatWasAskedBeforeTheClientClosedItsSide) {
  log_in();
  client_->send("SET a 1\r\nMULTI\r\nGET a\r\nEXEC\r\nGET a\r\nGET");
  client_->session->input_ended();
  EXPECT_FALSE(client_->session->finished());
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n$1\r\n1\r\n");
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, LimitsConnectionsOfTheirOwn) {
  log_in();
  std::vector<std::unique_ptr<FakeClient>> blocked;
  for (uint32_t i = 0; i < world_.upstream_limits.max_dedicated; ++i) {
    blocked.push_back(world_.connect());
    EXPECT_EQ(world_.ask(*blocked.back(), "AUTH acme 'acme secret'\r\nBLPOP q 0\r\n"), "+OK\r\n");
  }
  EXPECT_THAT(ask("BLPOP q 0\r\n"), StartsWith("-LIMIT"));
  blocked.pop_back();
  EXPECT_EQ(ask("MULTI\r\n"), "+OK\r\n");
}

TEST_F(Session, PrefixesChannels) {
  log_in();
  EXPECT_EQ(ask("PUBLISH news hello\r\n"), ":0\r\n");
  EXPECT_EQ(world_.redis.log.back()[1], channel_prefix(SessionWorld::acme()) + "news");
  EXPECT_EQ(ask("PUBSUB CHANNELS\r\n"), "*1\r\n$4\r\nnews\r\n");
}

TEST_F(Session, Subscribes) {
  log_in();
  EXPECT_EQ(ask("SUBSCRIBE a b\r\nGET x\r\n"),
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
            "RESET are allowed in this "
            "context\r\n");
  FakeRedis::Connection& subscriber = last_connection();
  EXPECT_EQ(subscriber.user(), kSubscriberUser);
  subscriber.push_message(channel_prefix(SessionWorld::acme()) + "a", "hello");
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n");
  EXPECT_EQ(ask("UNSUBSCRIBE\r\nSET x 1\r\n"),
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:"
            "0\r\n+OK\r\n");
  EXPECT_TRUE(subscriber.broken()) << "nothing is left to wait for";
  EXPECT_EQ(ask("PUNSUBSCRIBE\r\n"), "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n");
}

TEST_F(Session, NeverPassesOnAMessageOfAnotherTenant) {
  log_in();
  ask("SUBSCRIBE a\r\n");
  last_connection().push_message(channel_prefix(SessionWorld::globex()) + "a", "secret");
  world_.settle(*client_);
  EXPECT_THAT(client_->take(), IsEmpty());
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, PutsMessagesBetweenReplies) {
  log_in();
  ask("HELLO 3\r\nSET k 0123456789\r\nGET k\r\n");
  FakeRedis::Connection& shared = last_connection();
  EXPECT_THAT(ask("SUBSCRIBE a\r\n"), StartsWith(">3\r\n$9\r\nsubscribe"));
  FakeRedis::Connection& subscriber = last_connection();
  client_->send("GET k\r\n");
  shared.take_requests(SIZE_MAX);
  shared.deliver(8);
  subscriber.push_message(channel_prefix(SessionWorld::acme()) + "a", "m");
  subscriber.deliver(SIZE_MAX);
  shared.deliver(SIZE_MAX);
  EXPECT_EQ(client_->take(), "$10\r\n0123456789\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n");
}

TEST_F(Session, ASubscriptionEndsWithTheLogin) {
  log_in();
  ask("SUBSCRIBE a\r\n");
  EXPECT_THAT(ask("AUTH globex 'globex secret'\r\nGET a\r\n"),
              testing::AllOf(StartsWith("-ERR AUTH inside MULTI or while subscribed"),
                             HasSubstr("-NOAUTH")));
  EXPECT_TRUE(last_connection().broken());
  log_in();
  ask("SUBSCRIBE a\r\n");
  EXPECT_EQ(ask("RESET\r\n"), "+RESET\r\n");
  EXPECT_TRUE(last_connection().broken());
  world_.clients = {client_.get()};
  log_in();
  ask("SUBSCRIBE a\r\n");
  world_.publish([](DirectoryData& data) { data.tenants[0].status = TenantStatus::kSuspended; });
  EXPECT_TRUE(client_->session->finished());
  world_.redis.run();
  EXPECT_TRUE(last_connection().broken());
}

TEST_F(Session, ClosesWhenItsSubscriptionsAreLost) {
  log_in();
  ask("SUBSCRIBE a\r\n");
  last_connection().break_connection();
  world_.settle(*client_);
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, BoundsSubscriptions) {
  world_.limits.max_subscriptions = 2;
  log_in();
  ask("SUBSCRIBE a b\r\n");
  EXPECT_THAT(ask("PSUBSCRIBE c\r\n"), StartsWith("-LIMIT"));
  EXPECT_THAT(ask("PING\r\n"), HasSubstr("+PONG"));
}

TEST_F(Session, KeepsTheRate) {
  world_.publish(
      [](DirectoryData& data) { data.tenants[0].limits.cache_rate = {2, seconds(1), 2}; });
  log_in();
  EXPECT_THAT(ask("GET a\r\nGET a\r\nGET a\r\n"),
              StartsWith("$-1\r\n$-1\r\n-LIMIT more than 2 commands in 1000 ms"));
  world_.time.advance(milliseconds(500));
  EXPECT_EQ(ask("GET a\r\n"), "$-1\r\n");
  EXPECT_THAT(ask("MULTI\r\n"), StartsWith("-LIMIT"));
}

TEST_F(Session, ARateLimitInsideATransactionAbortsIt) {
  world_.publish(
      [](DirectoryData& data) { data.tenants[0].limits.cache_rate = {2, seconds(1), 2}; });
  log_in();
  EXPECT_THAT(ask("MULTI\r\nSET a 1\r\nSET b 1\r\nEXEC\r\n"),
              testing::AllOf(HasSubstr("-LIMIT"), HasSubstr("-EXECABORT")));
  EXPECT_THAT(world_.redis.databases[1], IsEmpty());
}

TEST_F(Session, FollowsTheTenantsStatus) {
  log_in();
  ask("SET a 1\r\n");
  world_.publish([](DirectoryData& data) { data.tenants[0].status = TenantStatus::kReadOnly; });
  EXPECT_EQ(ask("GET a\r\n"), "$1\r\n1\r\n");
  EXPECT_THAT(ask("SET a 2\r\n"), StartsWith("-NOPERM tenant acme is read-only"));
  EXPECT_THAT(ask("EVAL x 0\r\n"), StartsWith("-NOPERM tenant acme is read-only"));
  world_.publish([](DirectoryData& data) { data.tenants[0].status = TenantStatus::kSuspended; });
  EXPECT_THAT(ask("GET a\r\n"), StartsWith("-NOPERM tenant acme is suspended"));
  world_.redis.run();
  EXPECT_TRUE(last_connection().broken()) << "no connection of a suspended tenant stays open";
}

TEST_F(Session, FollowsTheTenantToAnotherDatabase) {
  log_in();
  ask("SET a 1\r\n");
  world_.publish([](DirectoryData& data) { data.tenants[0].cache_database = 7; });
  EXPECT_EQ(ask("GET a\r\n"), "$-1\r\n");
  EXPECT_EQ(last_connection().database(), 7);
}

TEST_F(Session, EndsALoginThatTheDirectoryNoLongerHas) {
  log_in();
  world_.publish(
      [](DirectoryData& data) { data.cache_logins[0].secret_sha256 = sha256("rotated"); });
  EXPECT_THAT(ask("GET a\r\n"), StartsWith("-NOAUTH"));
}

TEST_F(Session, ATransactionDoesNotOutliveASuspension) {
  world_.clients = {client_.get()};
  log_in();
  ask("MULTI\r\nSET a 1\r\n");
  world_.publish([](DirectoryData& data) { data.tenants[0].status = TenantStatus::kSuspended; });
  EXPECT_TRUE(client_->session->finished());
  world_.redis.run();
  EXPECT_THAT(world_.redis.databases[1], IsEmpty());
}

TEST_F(Session, SaysWhenTheOutcomeIsUnknown) {
  log_in();
  ask("SET b 1\r\n");
  client_->send("SET a 1\r\nSELECT 0\r\nSET a 2\r\n");
  last_connection().break_connection();
  world_.settle(*client_);
  EXPECT_THAT(client_->take(),
              testing::AllOf(StartsWith("-ERR the connection to the cache was lost"),
                             HasSubstr("\r\n+OK\r\n-ERR the conn")));
  EXPECT_FALSE(client_->session->finished());
  EXPECT_EQ(ask("GET a\r\n"), "$-1\r\n") << "on a new connection";
}

TEST_F(Session, ClosesWhenAReplyWasCut) {
  log_in();
  ask("SET a 12345678\r\n");
  client_->send("GET a\r\n");
  last_connection().take_requests(SIZE_MAX);
  last_connection().deliver(7);
  last_connection().break_connection();
  EXPECT_EQ(client_->take(), "$8\r\n123");
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, ClosesWhenAWatchIsLost) {
  log_in();
  ask("WATCH a\r\n");
  last_connection().break_connection();
  client_->send("MULTI\r\n");
  world_.settle(*client_);
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, RefusesOtherProtocols) {
  client_->send("POST / HTTP/1.1\r\nHost: x\r\n\r\nAUTH acme 'acme secret'\r\nFLUSHALL\r\n");
  EXPECT_TRUE(client_->session->finished());
  EXPECT_THAT(world_.redis.connections, IsEmpty());
  client_ = world_.connect();
  client_->send("GET / HTTP/1.1\r\nHost: x\r\n\r\nAUTH acme 'acme secret'\r\n");
  EXPECT_TRUE(client_->session->finished());
  EXPECT_THAT(client_->take(), Not(HasSubstr("+OK")));
}

TEST_F(Session, ClosesOnProtocolErrorsAfterWhatWasAskedBefore) {
  log_in();
  client_->send("SET a 1\r\n*1\r\n+x\r\nGET a\r\n");
  world_.settle(*client_);
  EXPECT_THAT(client_->take(), StartsWith("+OK\r\n-ERR Protocol error: expected '$'"));
  EXPECT_TRUE(client_->session->finished());
}

TEST_F(Session, BoundsWhatAStrangerMaySend) {
  EXPECT_THAT(ask("*3\r\n$4\r\nAUTH\r\n$100000\r\n"), HasSubstr("Protocol error"));
  EXPECT_TRUE(client_->session->finished());
  client_ = world_.connect();
  EXPECT_THAT(ask("*100\r\n"), HasSubstr("Protocol error"));
}

TEST_F(Session, StopsReadingRepliesForASlowReader) {
  log_in();
  ask("SET a " + std::string(60'000, 'x') + "\r\n");
  client_->send("LRANGE a 0 100\r\nPING\r\n");
  FakeRedis::Connection& connection = last_connection();
  connection.take_requests(SIZE_MAX);
  for (int i = 0; i < 1000; ++i) connection.deliver(16'384);
  EXPECT_LT(client_->session->output().size(), world_.limits.output_pause_bytes + 20'000);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    all += client_->take();
    connection.deliver(16'384);
  }
  EXPECT_THAT(all, testing::EndsWith("xxx\r\n+PONG\r\n"));
  EXPECT_GT(all.size(), 6'000'000u);
}

TEST_F(Session, DrainsAfterTheTransaction) {
  log_in();
  ask("MULTI\r\nSET a 1\r\n");
  client_->session->drain();
  world_.settle(*client_);
  EXPECT_FALSE(client_->session->finished());
  EXPECT_EQ(ask("EXEC\r\n"), "*1\r\n+OK\r\n");
  EXPECT_TRUE(client_->session->finished());
}

// The shell says it in every turn: were that a reason for one more, a worker would do nothing else.
TEST_F(Session, WakesOnceToDrainHoweverOftenItIsTold) {
  log_in();
  world_.ask(*client_, "MULTI\r\n");
  client_->session->drain();
  EXPECT_TRUE(client_->woken);
  client_->turn();
  client_->session->drain();
  EXPECT_FALSE(client_->woken);
}

TEST_F(Session, Quits) {
  log_in();
  client_->send("SET a 1\r\nQUIT\r\nSET a 2\r\n");
  EXPECT_FALSE(client_->session->finished());
  world_.settle(*client_);
  EXPECT_EQ(client_->take(), "+OK\r\n+OK\r\n");
  EXPECT_TRUE(client_->session->finished());
  EXPECT_EQ(world_.redis.databases[1]["a"], "1");
}

}  // namespace
}  // namespace partywall::cache
