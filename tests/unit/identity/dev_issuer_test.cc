#include "identity/dev_issuer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/json.h"
#include "identity/jwt.h"

namespace partywall {
namespace {

constexpr WallTime kIssuedAt{seconds(1'700'000'000)};

DevToken for_tenant(std::string tenant) {
  return {.tenant = std::move(tenant),
          .subject = "demo \"user\"",
          .issued_at = kIssuedAt,
          .expires_at = kIssuedAt + hours(1)};
}

TEST(DevIssuer, ItsTokensAreAccepted) {
  const auto issuer = DevIssuer::generate("https://dev.test", "partywall");
  const auto verifier = JwtVerifier::create({issuer.trusted()});
  ASSERT_TRUE(verifier.has_value()) << verifier.error().message;
  for (int i = 0; i < 50; ++i) {  // r and s have leading zeros now and then
    const auto token = (*verifier)->verify(issuer.sign(for_tenant("acme")), kIssuedAt);
    ASSERT_TRUE(token.has_value()) << token.error().message;
    EXPECT_EQ(token->tenant, "acme");
    EXPECT_EQ(token->subject, "demo \"user\"");
    EXPECT_EQ(token->expires_at, kIssuedAt + hours(1));
  }
}

TEST(DevIssuer, TheKeySurvivesAsPem) {
  const auto issuer = DevIssuer::generate("https://dev.test", "partywall");
  const Secret pem = issuer.private_key_pem();
  EXPECT_TRUE(pem.reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = DevIssuer::from_pem("https://dev.test", "partywall", pem);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->key_set(), issuer.key_set());
  const auto verifier = JwtVerifier::create({issuer.trusted()}).value();
  EXPECT_TRUE(verifier->verify(again->sign(for_tenant("acme")), kIssuedAt).has_value());
}

TEST(DevIssuer, EachHasAKeyOfItsOwn) {
  const auto one = DevIssuer::generate("https://dev.test", "partywall");
  const auto two = DevIssuer::generate("https://dev.test", "partywall");
  EXPECT_NE(one.key_set(), two.key_set());
  const auto verifier = JwtVerifier::create({one.trusted()}).value();
  EXPECT_FALSE(verifier->verify(two.sign(for_tenant("acme")), kIssuedAt).has_value());
}

TEST(DevIssuer, TheKeySetIsPublicAndItsKidTheThumbprint) {
  const auto issuer = DevIssuer::generate("https://dev.test", "partywall");
  const auto document = JsonValue::parse(issuer.key_set());
  ASSERT_TRUE(document.has_value());
  const JsonValue& key = document->find("keys")->as_array()->at(0);
  EXPECT_EQ(key.find("d"), nullptr);
  const std::string text = fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                                       *key.find_string("x"), *key.find_string("y"));
  EXPECT_EQ(*key.find_string("kid"), base64url_encode(as_bytes(sha256(text))));
}

TEST(DevIssuer, RefusesOtherKeys) {
  constexpr const char* kEd25519 =
      "-----BEGIN PRIVATE "
      "KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END "
      "PRIVATE KEY-----\n";
  for (const char* pem :
       {"", "no key", kEd25519, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
    const auto issuer = DevIssuer::from_pem("https://dev.test", "partywall", Secret(pem));
    ASSERT_FALSE(issuer.has_value());
    EXPECT_EQ(issuer.error().kind, ErrorKind::kInvalid);
  }
}

}  // namespace
}  // namespace partywall
