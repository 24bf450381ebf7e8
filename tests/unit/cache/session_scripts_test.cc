#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "cache/provision.h"
#include "cache/scripts/script_prelude.h"
#include "cache/session_fsm.h"
#include "cache/session_world.h"

// EVAL, EVALSHA, SCRIPT: what a tenant can learn of its neighbours' scripts, which is nothing.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::Not;
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
  world_.redis.scripts.insert(name_of(with_prelude("bad")));  // by whatever means
  EXPECT_THAT(ask(*acme_, "EVAL bad 0\r\n"), StartsWith("-ERR Error compiling"));
  EXPECT_EQ(ask(*acme_, "EVALSHA " + name_of("bad") + " 0\r\n"), kNoSuchScript);
  EXPECT_THAT(ask(*acme_, "EVAL y\r\nSCRIPT LOAD\r\n"), HasSubstr("wrong number"));
}

TEST_F(Scripts, AreBoundedBecauseRedisNeverForgetsThem) {
  ScriptRegister scripts({.max_scripts = 3, .max_bytes = 100});
  const TenantId acme = SessionWorld::acme();
  for (const char* text : {"a", "b", "c", "c"})
    scripts.add(acme, sha1(text), sha1(with_prelude(text)), 1);
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

TEST_F(Scripts, HaveInRedisThePreludeBeforeThem) {
  const auto scripts_in_redis = [&] {
    std::vector<std::string> texts;
    for (const FakeRedis::Words& words : world_.redis.log) {
      if (words[0].starts_with("eval")) texts.push_back(words[1]);
      if (words[0] == "script") texts.push_back(words[2]);
    }
    world_.redis.log.clear();
    return texts;
  };
  const std::string text = with_prelude("x");
  ask(*acme_, "EVAL x 0\r\n");
  EXPECT_EQ(scripts_in_redis(), (std::vector{text, text}));
  ask(*acme_, "EVAL x 0\r\nEVAL_RO x 0\r\nEVALSHA " + name_of("x") + " 0\r\n");
  EXPECT_EQ(scripts_in_redis(), (std::vector{text, text, name_of(text)}));
  ask(*acme_, "SCRIPT LOAD y\r\nSCRIPT EXISTS " + name_of("y") + "\r\n");
  EXPECT_EQ(scripts_in_redis(), (std::vector{with_prelude("y"), name_of(with_prelude("y"))}));
  ask(*acme_, "MULTI\r\nEVAL x 0\r\nEVAL z 0\r\nEVALSHA " + name_of("x") + " 0\r\nEXEC\r\n");
  EXPECT_EQ(scripts_in_redis(), (std::vector{text, with_prelude("z"), name_of(text)}));
}

TEST_F(Scripts, AreKnownToClientsByTheirOwnNames) {
  const std::string loaded = "$40\r\n" + name_of("x") + "\r\n";
  EXPECT_EQ(ask(*acme_, "SCRIPT LOAD x\r\n"), loaded);
  EXPECT_EQ(ask(*acme_, "SCRIPT LOAD x\r\n"), loaded) << "that is known already";
  EXPECT_EQ(ask(*acme_, "MULTI\r\nSCRIPT LOAD y\r\nEXEC\r\n"),
            "+OK\r\n+QUEUED\r\n*1\r\n$40\r\n" + name_of("y") + "\r\n");
  // Redis's own name of it is nobody's.
  EXPECT_EQ(ask(*acme_, "EVALSHA " + name_of(with_prelude("x")) + " 0\r\n"), kNoSuchScript);
  EXPECT_EQ(ask(*acme_, "SCRIPT EXISTS " + name_of(with_prelude("x")) + "\r\n"), "*1\r\n:0\r\n");
  const auto error = [](const std::string& name) {
    return "-ERR user_script:1: no script: " + name + ", on @user_script:1.\r\n";
  };
  world_.redis.answer_eval = [&] { return error(name_of(with_prelude("x"))); };
  EXPECT_EQ(ask(*acme_, "EVAL x 0\r\n"), error(name_of("x")));
  ask(*globex_, "EVAL z 0\r\n");
  EXPECT_EQ(ask(*globex_, "EVAL z 0\r\n"), error(name_of(with_prelude("x"))))
      << "names of a neighbour's are not looked up";
}

TEST_F(Scripts, KeysAndArgumentsStayWhatTheyAre) {
  const std::string request =
      "*5\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\nk\r\n$3\r\na\r\n\r\n";
  ask(*acme_, request + request + "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" + request);
  const FakeRedis::Words words = {"eval", with_prelude("x"), "1", "k", "a\r\n"};
  const std::vector<FakeRedis::Words> log(world_.redis.log.end() - 4, world_.redis.log.end());
  EXPECT_EQ(log, (std::vector<FakeRedis::Words>{words, words, {"get", "k"}, words}));
}

// What the limits of acme say, from now on; globex keeps what it had.
class ScriptsPolicy : public Scripts {
 protected:
  void let_acme_run(CacheScripts scripts) {
    world_.publish([&](DirectoryData& data) {
      data.cells[0].cache.functions = {{.name = "one", .functions = {"f"}}};
      data.tenants[0].limits.cache_scripts = scripts;
    });
    world_.redis.log.clear();
  }
  // Was anything of it passed on?
  std::string refused(const std::string& request) {
    world_.redis.log.clear();
    std::string answer = ask(*acme_, request + "\r\n");
    EXPECT_TRUE(world_.redis.log.empty()) << request;
    return answer;
  }
};

TEST_F(ScriptsPolicy, NoneOfItsOwnMeansNone) {
  ask(*acme_, "EVAL x 0\r\n");
  const std::string name = name_of("x");
  for (const CacheScripts scripts : {CacheScripts::kFunctions, CacheScripts::kNone}) {
    let_acme_run(scripts);
    for (const std::string request :
         {"EVAL x 0", "EVAL_RO x 0", "EVALSHA N 0", "EVALSHA_RO N 0", "SCRIPT LOAD x",
          "SCRIPT EXISTS N", "SCRIPT FLUSH", "eval", "FUNCTION LOAD x"}) {
      std::string sent = request;
      if (const size_t place = sent.find(" N"); place != std::string::npos)
        sent.replace(place + 1, 1, name);
      EXPECT_THAT(refused(sent), StartsWith("-NOPERM '")) << request;
    }
    EXPECT_THAT(ask(*globex_, "EVAL x 0\r\n"), HasSubstr("ran"));
  }
  EXPECT_THAT(refused("EVAL x 0"),
              HasSubstr("tier free has `cache.scripts: none` for tenant acme"));
  let_acme_run(CacheScripts::kAny);
  EXPECT_EQ(ask(*acme_, "EVALSHA " + name + " 0\r\n"), "$3\r\nran\r\n");
}

TEST_F(ScriptsPolicy, FunctionsAreTheOperators) {
  let_acme_run(CacheScripts::kFunctions);
  ask(*acme_, "FCALL f 0\r\n");
  EXPECT_EQ(world_.redis.log.back(), (FakeRedis::Words{"fcall", "f", "0"}));
  EXPECT_THAT(ask(*acme_, "MULTI\r\nFCALL f 0\r\nEXEC\r\n"), Not(HasSubstr("EXECABORT")));
  EXPECT_THAT(ask(*acme_, "FUNCTION LIST\r\n"), HasSubstr("one"));
  let_acme_run(CacheScripts::kNone);
  for (const char* const request : {"FCALL f 0", "FCALL_RO f 0", "FUNCTION LIST"})
    EXPECT_THAT(refused(request), StartsWith("-NOPERM '")) << request;
}

TEST_F(ScriptsPolicy, WhatWasQueuedBeforeDoesNotRunAfter) {
  for (const char* const call : {"EVAL x 0\r\n", "FCALL f 0\r\n"}) {
    let_acme_run(CacheScripts::kAny);
    world_.clients = {acme_.get()};
    ask(*acme_, std::string("MULTI\r\n") + call);
    let_acme_run(CacheScripts::kNone);
    EXPECT_THAT(ask(*acme_, "EXEC\r\n"), StartsWith("-EXECABORT")) << call;
    for (const FakeRedis::Words& words : world_.redis.log) EXPECT_NE(words[0], "exec");
    EXPECT_EQ(ask(*acme_, "MULTI\r\nEXEC\r\n"), "+OK\r\n*0\r\n") << "others go on";
  }
}

TEST_F(ScriptsPolicy, CommandsThatATenantHasNotAreNotInItsList) {
  const auto has = [&](const std::string& name) {
    return ask(*acme_, "COMMAND LIST FILTERBY PATTERN " + name + "\r\n") != "*0\r\n";
  };
  EXPECT_TRUE(has("eval") && has("fcall") && has("get"));
  let_acme_run(CacheScripts::kFunctions);
  EXPECT_TRUE(!has("eval") && !has("evalsha_ro") && has("fcall") && has("get"));
  let_acme_run(CacheScripts::kNone);
  EXPECT_TRUE(!has("eval") && !has("fcall") && !has("fcall_ro") && has("get"));
}

TEST(ScriptsAcl, RedisRefusesWhatTheDoorRefuses) {
  const auto has = [](CacheMode mode, CacheScripts scripts, const std::string& rule) {
    CacheBackend backend;
    backend.mode = mode;
    Tenant tenant;
    tenant.limits.cache_scripts = scripts;
    const std::vector<std::string> rules = tenant_acl_rules(backend, tenant, 700);
    return std::ranges::find(rules, rule) != rules.end();
  };
  for (const CacheMode mode : {CacheMode::kDatabase, CacheMode::kPrefix}) {
    for (const char* const rule : {"+eval", "+evalsha", "+eval_ro", "+script|load", "+fcall"})
      EXPECT_TRUE(has(mode, CacheScripts::kAny, rule)) << rule;
    for (const char* const rule :
         {"+evalsha", "+eval_ro", "+evalsha_ro", "+script|load", "+script|exists"}) {
      EXPECT_FALSE(has(mode, CacheScripts::kFunctions, rule)) << rule;
      EXPECT_FALSE(has(mode, CacheScripts::kNone, rule)) << rule;
    }
    EXPECT_TRUE(has(mode, CacheScripts::kFunctions, "+fcall"));
    EXPECT_FALSE(has(mode, CacheScripts::kNone, "+fcall"));
    EXPECT_FALSE(has(mode, CacheScripts::kNone, "+fcall_ro"));
  }
  EXPECT_FALSE(has(CacheMode::kPrefix, CacheScripts::kNone, "+eval"));
  // There the door weighs and evicts with it.
  EXPECT_TRUE(has(CacheMode::kDatabase, CacheScripts::kNone, "+eval"));
}

TEST(ScriptPrelude, HasNoLineOfItsOwn) {
  const std::string prelude(kScriptPrelude);
  EXPECT_EQ(with_prelude("return 1"), prelude + "return 1");
  EXPECT_EQ(with_prelude("#!lua flags=no-writes\nreturn 1"),
            "#!lua flags=no-writes\n" + prelude + "return 1");
  EXPECT_EQ(with_prelude("#!lua\n"), "#!lua\n" + prelude);
  EXPECT_EQ(with_prelude(""), prelude);
  EXPECT_EQ(with_prelude("\n#!lua"), prelude + "\n#!lua");
  EXPECT_EQ(with_prelude("#!lua"), "#!lua" + prelude) << "which Redis refuses";
  EXPECT_EQ(prelude.find('\n'), std::string::npos);
}

// What the prelude says beyond what it says before every script.
std::string added_to(std::string_view script) {
  const std::string text = with_prelude(script);
  return text.substr(kScriptPrelude.size(), text.size() - kScriptPrelude.size() - script.size());
}

TEST(ScriptPrelude, TakesAwayWhatAScriptMayReach) {
  for (const char* const script :
       {"redis.log(3, 'x')", "redis.set_repl(1)", "redis . log(3, 'x')", "redis\n.log(3, 'x')",
        "redis['log']", "local r = redis", "redis.--[[]]log()", "_G", "load", "loadstring", "redis",
        "redis.call('GET', 'x') redis.log(3, 'x')", "redis.", "redis.log", "redisredis.log"}) {
    EXPECT_EQ(added_to(script), kHarmlessLibrary) << script;
  }
}

TEST(ScriptPrelude, CostsNothingMoreWhereNothingCanBeReached) {
  for (const char* const script :
       {"return redis.call('GET', KEYS[1])", "redis.pcall('X') redis.logs()", "return 1", "red is",
        "return redis.error_reply('x')", "redis.sha1hex(redis.REDIS_VERSION)", "redis.log_()"}) {
    EXPECT_EQ(added_to(script), "") << script;
  }
  EXPECT_EQ(added_to("return math.random()"), kFreshRandomNumbers);
  EXPECT_EQ(added_to("redis.log(math.random())"),
            std::string(kFreshRandomNumbers) + std::string(kHarmlessLibrary));
  for (const std::string_view part : {kFreshRandomNumbers, kHarmlessLibrary})
    EXPECT_EQ(part.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace partywall::cache
