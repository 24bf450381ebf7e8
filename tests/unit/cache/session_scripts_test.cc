#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "cache/session_fsm.h"
#include "cache/session_world.h"

// EVAL, EVALSHA, SCRIPT: what a tenant can learn of its neighbours' scripts, which is nothing.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Scripts : public testing::Test {
 protected:
  Scripts() {
    ask(*acme_, "AUTH acme 'acme secret'\r\n");
    ask(*globex_, "AUTH globex 'globex secret'\r\n");
  }
  std::string ask(FakeClient& client, const std::string& bytes) {
    return world_.ask(client, bytes);
  }
  static std::string name_of(std::string_view script) {
    const Sha1Digest digest = sha1(script);
    return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }

  SessionWorld world_;
  std::unique_ptr<FakeClient> acme_ = world_.connect();
  std::unique_ptr<FakeClient> globex_ = world_.connect();
};

constexpr const char* kNoSuchScript = "-NOSCRIPT No matching script.\r\n";

TEST_F(Scripts, AreTheTenantsOwn) {
  const std::string name = name_of("x");
  const std::string call = "EVALSHA " + name + " 0\r\n";
  const std::string exists = "SCRIPT EXISTS " + name + "\r\n";
  EXPECT_THAT(ask(*globex_, "SCRIPT LOAD x\r\n"), HasSubstr(name));
  EXPECT_EQ(ask(*globex_, call + exists), "$3\r\nran\r\n*1\r\n:1\r\n");
  EXPECT_EQ(ask(*acme_, call + exists), std::string(kNoSuchScript) + "*1\r\n:0\r\n");
  EXPECT_EQ(ask(*acme_, "EVAL x 0\r\n" + call + exists), "$3\r\nran\r\n$3\r\nran\r\n*1\r\n:1\r\n");
  EXPECT_EQ(ask(*acme_, "SCRIPT FLUSH\r\n" + call), "+OK\r\n" + std::string(kNoSuchScript));
  EXPECT_EQ(ask(*globex_, call), "$3\r\nran\r\n");
}

TEST_F(Scripts, InATransactionToo) {
  ask(*globex_, "SCRIPT LOAD x\r\n");
  EXPECT_EQ(ask(*acme_, "MULTI\r\nEVALSHA " + name_of("x") + " 0\r\nEXEC\r\n"),
            "+OK\r\n+QUEUED\r\n*1\r\n" + std::string(kNoSuchScript));
  // Whether it was loaded is known after EXEC only: a DISCARD must not make it known.
  ask(*acme_, "MULTI\r\nSCRIPT LOAD x\r\nEVAL x 0\r\nDISCARD\r\n");
  EXPECT_EQ(ask(*acme_, "EVALSHA " + name_of("x") + " 0\r\n"), kNoSuchScript);
}

TEST_F(Scripts, ThatRedisDoesNotTakeAreNotKnown) {
  world_.redis.scripts.insert(name_of("bad"));  // by whatever means
  EXPECT_THAT(ask(*acme_, "EVAL bad 0\r\n"), StartsWith("-ERR Error compiling"));
  EXPECT_EQ(ask(*acme_, "EVALSHA " + name_of("bad") + " 0\r\n"), kNoSuchScript);
  EXPECT_THAT(ask(*acme_, "EVAL y\r\nSCRIPT LOAD\r\n"), HasSubstr("wrong number"));
}

TEST_F(Scripts, AreBoundedBecauseRedisNeverForgetsThem) {
  ScriptRegister scripts({.max_scripts = 3, .max_bytes = 100});
  const TenantId acme = SessionWorld::acme();
  for (const char* text : {"a", "b", "c", "c"}) scripts.add(acme, sha1(text), 1);
  EXPECT_FALSE(scripts.has_room(acme, 1));
  scripts.forget(acme);
  EXPECT_FALSE(scripts.has_room(acme, 1)) << "Redis keeps them";
  EXPECT_TRUE(scripts.has_room(SessionWorld::globex(), 100));
  EXPECT_FALSE(scripts.has_room(SessionWorld::globex(), 101));
}

TEST_F(Scripts, OneAnswerForOneEvalWhenTheConnectionIsLost) {
  acme_->send("EVAL x 0\r\nPING\r\n");
  world_.redis.connections.back()->break_connection();
  world_.time.advance(seconds(1));
  world_.settle(*acme_);
  const std::string answers = acme_->take();
  EXPECT_EQ(std::ranges::count(answers, '\n'), 2) << answers;
}

}  // namespace
}  // namespace partywall::cache
