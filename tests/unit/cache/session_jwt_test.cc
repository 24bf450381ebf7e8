#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_fsm.h"
#include "cache/session_world.h"

// JSON Web Tokens as passwords.
namespace partywall::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Tokens : public testing::Test {
 protected:
  std::string ask(std::string_view bytes) { return world_.ask(*client_, bytes); }
  std::string auth(const std::string& words) { return ask("AUTH " + words + "\r\n"); }

  SessionWorld world_;
  std::unique_ptr<FakeClient> client_ = world_.connect();
};

TEST_F(Tokens, SayWhoTheTenantIs) {
  const std::string by_slug = world_.jwt("globex");
  const std::string by_id = world_.jwt(SessionWorld::globex().value().to_string());
  for (const std::string& words :
       {"app " + by_slug, "globex " + by_slug, by_slug, "app " + by_id, "default " + by_slug}) {
    EXPECT_EQ(auth(words), "+OK\r\n") << words;
    EXPECT_EQ(ask("SET k 1\r\n"), "+OK\r\n");
  }
  EXPECT_EQ(world_.redis.databases.size(), 1u);
  EXPECT_EQ(world_.redis.databases[2]["k"], "1");
  EXPECT_THAT(ask("HELLO 3 AUTH app " + by_slug + "\r\n"), StartsWith("%7"));
}

TEST_F(Tokens, AreVerifiedOnce) {
  const std::string token = world_.jwt("acme");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(auth("app " + token), "+OK\r\n");
  EXPECT_EQ(world_.host.tokens.misses(), 1u);
  EXPECT_EQ(world_.host.tokens.hits(), 9u);
}

TEST_F(Tokens, OfOthersAreRefused) {
  const std::string token = world_.jwt("globex");
  std::string forged = token;
  forged.back() = forged.back() == 'A' ? 'Q' : 'A';
  const DevIssuer stranger = DevIssuer::generate("https://issuer.test", "cache");
  const std::string foreign = stranger.sign({.tenant = "acme",
                                             .subject = "x",
                                             .issued_at = world_.time.wall(),
                                             .expires_at = world_.time.wall() + seconds(60)});
  for (const std::string& words :
       {"acme " + token, "nobody " + token, "app " + forged, "app " + foreign,
        "app " + world_.jwt("nobody"), "app " + world_.jwt("acme", seconds(-60)),
        std::string("app eyJhbGciOiJub25lIn0.e30."), std::string("ey..")}) {
    client_ = world_.connect();
    EXPECT_THAT(auth(words), StartsWith("-WRONGPASS")) << words;
    EXPECT_THAT(ask("GET k\r\n"), StartsWith("-NOAUTH"));
  }
}

TEST_F(Tokens, EndWithTheirExpiryAndWithTheirIssuer) {
  auth("app " + world_.jwt("acme", seconds(60)));
  EXPECT_EQ(ask("SET k 1\r\n"), "+OK\r\n");
  world_.time.advance(seconds(60));
  EXPECT_THAT(ask("GET k\r\n"), StartsWith("-NOAUTH"));
  auth("app " + world_.jwt("acme", seconds(60)));
  EXPECT_EQ(ask("GET k\r\n"), "$1\r\n1\r\n");
  world_.publish([](DirectoryData& data) { data.issuers.clear(); });
  EXPECT_THAT(ask("GET k\r\n"), StartsWith("-NOAUTH"));
  EXPECT_THAT(auth("app " + world_.jwt("acme")), StartsWith("-WRONGPASS"));
}

TEST_F(Tokens, ASecretThatLooksLikeOneIsStillASecret) {
  const std::string secret = "eyes.on.you";
  world_.publish([&](DirectoryData& data) { data.cache_logins[0].secret_sha256 = sha256(secret); });
  EXPECT_EQ(auth("acme " + secret), "+OK\r\n");
}

}  // namespace
}  // namespace partywall::cache
