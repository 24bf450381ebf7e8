#include "identity/verified_tokens.h"

#include <gtest/gtest.h>

#include "identity/dev_issuer.h"

namespace partywall {
namespace {

constexpr WallTime kNow{seconds(1'700'000'000)};

class VerifiedTokensTest : public testing::Test {
 protected:
  std::string token(std::string tenant, seconds lifetime = seconds(3600)) const {
    return issuer_.sign({.tenant = std::move(tenant),
                         .subject = "alice",
                         .issued_at = kNow,
                         .expires_at = kNow + lifetime});
  }
  // Whether the answer came from memory; fails the test if the token is refused.
  bool is_remembered(VerifiedTokens& tokens, const std::string& token, WallTime now = kNow,
                     uint64_t generation = 1) const {
    const uint64_t hits = tokens.hits();
    const auto verified = tokens.verify(*verifier_, generation, token, now);
    EXPECT_TRUE(verified.has_value());
    return tokens.hits() > hits;
  }

  const DevIssuer issuer_ = DevIssuer::generate("https://dev.test", "partywall");
  const std::shared_ptr<const JwtVerifier> verifier_ =
      JwtVerifier::create({issuer_.trusted()}).value();
};

TEST_F(VerifiedTokensTest, RemembersWhatWasVerified) {
  VerifiedTokens tokens;
  const std::string acme = token("acme");
  const std::string globex = token("globex");
  EXPECT_FALSE(is_remembered(tokens, acme));
  EXPECT_TRUE(is_remembered(tokens, acme));
  EXPECT_FALSE(is_remembered(tokens, globex));
  EXPECT_EQ((*tokens.verify(*verifier_, 1, acme, kNow))->tenant, "acme");
  EXPECT_EQ((*tokens.verify(*verifier_, 1, globex, kNow))->tenant, "globex");
  EXPECT_EQ(tokens.size(), 2U);
}

TEST_F(VerifiedTokensTest, FailureIsNotRemembered) {
  VerifiedTokens tokens;
  const std::string bad = token("acme") + "A";
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(tokens.verify(*verifier_, 1, bad, kNow).has_value());
  EXPECT_EQ(tokens.hits(), 0U);
  EXPECT_EQ(tokens.size(), 0U);
  EXPECT_FALSE(tokens.verify(*verifier_, 1, std::string(kMaxJwtLength + 1, 'a'), kNow).has_value());
}

// A remembered token must not open the door for one that shares everything but its end.
TEST_F(VerifiedTokensTest, TheWholeTokenCounts) {
  VerifiedTokens tokens;
  std::string good = token("acme");
  EXPECT_FALSE(is_remembered(tokens, good));
  good[good.size() - 2] = good[good.size() - 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(tokens.verify(*verifier_, 1, good, kNow).has_value());
}

TEST_F(VerifiedTokensTest, ForgetsAfterTheMaximumAge) {
  VerifiedTokens tokens;
  const std::string acme = token("acme");
  EXPECT_FALSE(is_remembered(tokens, acme));
  EXPECT_TRUE(is_remembered(tokens, acme, kNow + milliseconds(59'999)));
  EXPECT_FALSE(is_remembered(tokens, acme, kNow + seconds(60)));
}

TEST_F(VerifiedTokensTest, ForgetsAtExpiryAndThenHonoursTheLeewayItself) {
  VerifiedTokens tokens;
  const std::string brief = token("acme", seconds(10));
  EXPECT_FALSE(is_remembered(tokens, brief));
  EXPECT_TRUE(is_remembered(tokens, brief, kNow + milliseconds(9'999)));
  EXPECT_FALSE(
      is_remembered(tokens, brief, kNow + seconds(10)));  // within the leeway: verified anew
  EXPECT_FALSE(is_remembered(tokens, brief, kNow + seconds(39)));
  EXPECT_FALSE(tokens.verify(*verifier_, 1, brief, kNow + seconds(40)).has_value());
  EXPECT_EQ(tokens.size(), 0U);
}

TEST_F(VerifiedTokensTest, AClockThatGoesBackDoesNotKeepThemAlive) {
  VerifiedTokens tokens;
  const std::string acme = token("acme");
  EXPECT_FALSE(is_remembered(tokens, acme, kNow + seconds(20)));
  EXPECT_FALSE(is_remembered(tokens, acme, kNow + seconds(10)));
}

TEST_F(VerifiedTokensTest, NewKeysForgetEverything) {
  VerifiedTokens tokens;
  const std::string acme = token("acme");
  EXPECT_FALSE(is_remembered(tokens, acme, kNow, 1));
  EXPECT_FALSE(is_remembered(tokens, acme, kNow, 2));
  const auto stranger = DevIssuer::generate("https://dev.test", "partywall");
  const auto other = JwtVerifier::create({stranger.trusted()}).value();
  EXPECT_FALSE(tokens.verify(*other, 3, acme, kNow).has_value());
}

TEST_F(VerifiedTokensTest, DropsTheLeastRecentlyUsed) {
  VerifiedTokens tokens({.max_tokens = 2});
  const std::string a = token("a");
  const std::string b = token("b");
  const std::string c = token("c");
  is_remembered(tokens, a);
  is_remembered(tokens, b);
  EXPECT_TRUE(is_remembered(tokens, a));
  EXPECT_FALSE(is_remembered(tokens, c));  // drops b
  EXPECT_EQ(tokens.size(), 2U);
  EXPECT_TRUE(is_remembered(tokens, a));
  EXPECT_TRUE(is_remembered(tokens, c));
  EXPECT_FALSE(is_remembered(tokens, b));
  tokens.clear();
  EXPECT_EQ(tokens.size(), 0U);
  EXPECT_FALSE(is_remembered(tokens, a));
}

// Large tokens must not fill the memory that many small ones would not.
TEST_F(VerifiedTokensTest, TheBytesOfAllTokensAreBounded) {
  const std::string a = token("a");
  const std::string b = token("b");
  const std::string c = token("c");
  VerifiedTokens tokens({.max_token_bytes = a.size() + b.size()});
  is_remembered(tokens, a);
  is_remembered(tokens, b);
  EXPECT_TRUE(is_remembered(tokens, a));
  is_remembered(tokens, c);  // drops b
  EXPECT_EQ(tokens.size(), 2U);
  EXPECT_TRUE(is_remembered(tokens, a));
  EXPECT_FALSE(is_remembered(tokens, b));
  tokens.clear();
  is_remembered(tokens, a);
  is_remembered(tokens, b);
  EXPECT_EQ(tokens.size(), 2U);
}

TEST_F(VerifiedTokensTest, ExpiredTokensDoNotStayWhileOthersCome) {
  VerifiedTokens tokens;
  is_remembered(tokens, token("a", seconds(10)));
  is_remembered(tokens, token("b"));
  is_remembered(tokens, token("c"), kNow + seconds(10));
  EXPECT_EQ(tokens.size(), 2U);
}

}  // namespace
}  // namespace partywall
