#include "identity/jwk_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "identity/jwt_signer.h"

namespace partywall {
namespace {

using enum JwtAlgorithm;
using testing::HasSubstr;

std::string set_of(std::initializer_list<std::string> keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "{" : ",{") + key + "}";
  return "{\"keys\":[" + text + "]}";
}

std::vector<NamedKey> keys_of(const std::string& json, std::string_view default_algorithm = "") {
  auto keys = parse_jwk_set(json, default_algorithm);
  EXPECT_TRUE(keys.has_value()) << keys.error().message;
  return keys ? std::move(*keys) : std::vector<NamedKey>();
}

std::string problem(const std::string& json, std::string_view default_algorithm = "") {
  const auto keys = parse_jwk_set(json, default_algorithm);
  EXPECT_FALSE(keys.has_value()) << json;
  if (keys) return "";
  EXPECT_EQ(keys.error().kind, ErrorKind::kInvalid) << keys.error().message;
  return keys.error().message;
}

class JwkSetTest : public testing::Test {
 protected:
  static const JwtSigner& rsa() {
    static const JwtSigner signer(kRs256);
    return signer;
  }
  const JwtSigner elliptic_{kEs256};
  const JwtSigner elliptic384_{kEs384};
  const JwtSigner edwards_{kEdDsa};
  const JwtSigner symmetric_{kHs256};
};

TEST_F(JwkSetTest, TheAlgorithmIsNamedOrFollowsFromTheCurve) {
  const auto keys =
      keys_of(set_of({rsa().jwk_members() + R"(,"alg":"PS384","kid":"a")", elliptic_.jwk_members(),
                      elliptic384_.jwk_members(), edwards_.jwk_members(),
                      symmetric_.jwk_members() + R"(,"alg":"HS256")"}));
  ASSERT_EQ(keys.size(), 5U);
  EXPECT_EQ(keys[0].key.algorithm(), kPs384);
  EXPECT_EQ(keys[0].id, "a");
  EXPECT_EQ(keys[1].key.algorithm(), kEs256);
  EXPECT_EQ(keys[1].id, "");
  EXPECT_EQ(keys[2].key.algorithm(), kEs384);
  EXPECT_EQ(keys[3].key.algorithm(), kEdDsa);
  EXPECT_EQ(keys[4].key.algorithm(), kHs256);
}

TEST_F(JwkSetTest, AnRsaKeyWithoutAnAlgorithmNeedsADefault) {
  EXPECT_THAT(problem(set_of({rsa().jwk_members() + R"(,"kid":"r")"})), HasSubstr("key 'r'"));
  EXPECT_EQ(keys_of(set_of({rsa().jwk_members()}), "RS256")[0].key.algorithm(), kRs256);
  EXPECT_EQ(
      keys_of(set_of({rsa().jwk_members() + R"(,"alg":"RS512")"}), "RS256")[0].key.algorithm(),
      kRs512);
  EXPECT_THAT(problem(set_of({rsa().jwk_members()}), "ES256"), HasSubstr("does not fit"));
  // A default never turns a symmetric key into one that is accepted.
  EXPECT_THAT(problem(set_of({symmetric_.jwk_members()}), "HS256"),
              HasSubstr("must name its 'alg'"));
}

TEST_F(JwkSetTest, KeysForOtherPurposesAreSkipped) {
  const std::string good = elliptic_.jwk_members();
  for (const std::string& other : std::initializer_list<std::string>{
           good + R"(,"use":"enc")", good + R"(,"use":1)", good + R"(,"key_ops":["sign"])",
           good + R"(,"key_ops":"verify")", R"("kty":"EC","crv":"P-521","x":"AA","y":"AA")",
           R"("kty":"EC","crv":"secp256k1","x":"AA","y":"AA")",
           R"("kty":"OKP","crv":"X25519","x":"AA")", R"("kty":"OKP","crv":"Ed448","x":"AA")",
           R"("kty":"AKP","pub":"AA")",
           R"("kty":"EC","crv":"P-521","x":"AA","y":"AA","alg":"ES512")",
           rsa().jwk_members() + R"(,"alg":"RSA-OAEP")",
           symmetric_.jwk_members() + R"(,"alg":"HS512")",
           symmetric_.jwk_members() + R"(,"alg":"A128KW")"}) {
    EXPECT_EQ(
        keys_of(set_of({other, good + R"(,"kid":"good","use":"sig","key_ops":["verify"])"})).size(),
        1U)
        << other;
    EXPECT_THAT(problem(set_of({other})), HasSubstr("no key"));
  }
}

TEST_F(JwkSetTest, ContradictionsAreRefused) {
  for (const std::string& bad : std::initializer_list<std::string>{
           elliptic_.jwk_members() + R"(,"alg":"ES384")",
           elliptic_.jwk_members() + R"(,"alg":"HS256")", rsa().jwk_members() + R"(,"alg":"HS256")",
           rsa().jwk_members() + R"(,"alg":"ES256")",
           symmetric_.jwk_members() + R"(,"alg":"RS256")",
           edwards_.jwk_members() + R"(,"alg":"ES256")",
           rsa().jwk_members() + R"(,"alg":"RS256","crv":"P-256")"}) {
    EXPECT_THAT(problem(set_of({bad})), HasSubstr("does not fit")) << bad;
  }
  EXPECT_THAT(problem(set_of({elliptic_.jwk_members() + R"(,"alg":1)"})),
              HasSubstr("'alg' is not a string"));
  EXPECT_THAT(problem(set_of({elliptic_.jwk_members() + R"(,"alg":null)"})),
              HasSubstr("'alg' is not a string"));
}

// RFC 7518 sections 3.2 and 3.3; RFC 8725 section 3.5: ensure the keys have enough entropy.
TEST_F(JwkSetTest, WeakAndHugeKeysAreRefused) {
  const JwtSigner weak(kRs256, "weak", 1024);
  EXPECT_THAT(problem(weak.key_set()),
              HasSubstr("key 'weak': an RSA key of 1024 bits; 2048 to 8192"));
  const std::string huge = base64url_encode(std::string(1025, '\xFF'));
  EXPECT_THAT(problem(set_of({R"("kty":"RSA","alg":"RS256","e":"AQAB","n":")" + huge + "\""})),
              HasSubstr("8200 bits"));
  const std::string almost = base64url_encode(std::string(31, 'k'));
  EXPECT_THAT(problem(set_of({R"("kty":"oct","alg":"HS256","k":")" + almost + "\""})),
              HasSubstr("31 bytes"));
}

TEST_F(JwkSetTest, MalformedKeysAreRefused) {
  const std::string zeros = base64url_encode(std::string(32, '\0'));
  const std::string even = base64url_encode(std::string(255, '\xFF') + "\xFE");
  const auto modulus = rsa().jwk_members().substr(0, rsa().jwk_members().find(R"(,"e")"));
  for (const std::string& bad : std::initializer_list<std::string>{
           "",
           R"("kty":1)",
           R"("kty":"RSA","alg":"RS256")",
           modulus + R"(,"alg":"RS256")",
           modulus + R"(,"alg":"RS256","e":"")",
           modulus + R"(,"alg":"RS256","e":65537)",
           modulus + R"(,"alg":"RS256","e":"AQAB=")",
           modulus + R"(,"alg":"RS256","e":"AQ")",       // 1
           modulus + R"(,"alg":"RS256","e":"AA")",       // 0
           modulus + R"(,"alg":"RS256","e":"AQAA")",     // even
           modulus + R"(,"alg":"RS256","e":"AQAAAAE")",  // above 2^32
           R"("kty":"RSA","alg":"RS256","e":"AQAB","n":")" + even + "\"",
           R"("kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros +
               "\"",  // not on the curve
           R"("kty":"EC","crv":"P-256","x":"AA","y":"AA")",
           R"("kty":"EC","crv":"P-256","x":")" + zeros + "\"",
           R"("kty":"OKP","crv":"Ed25519","x":"AAAA")",
           R"("kty":"OKP","crv":"Ed25519")",
           elliptic_.jwk_members() + R"(,"kid":1)",
           elliptic_.jwk_members() + R"(,"kid":"")",
           elliptic_.jwk_members() + R"(,"kid":")" + std::string(257, 'k') + "\""}) {
    EXPECT_THAT(problem(set_of({bad})), HasSubstr("key")) << bad;
  }
}

TEST_F(JwkSetTest, APrivateKeyIsRefused) {
  EXPECT_THAT(problem(set_of({elliptic_.jwk_members() + R"(,"d":"AAAA","kid":"k")"})),
              HasSubstr("key 'k': this is a private key"));
}

TEST_F(JwkSetTest, OneKidMayNameTwoKeysOnlyOfDifferentAlgorithms) {
  const JwtSigner other(kEs256);
  EXPECT_EQ(keys_of(set_of({elliptic_.jwk_members() + R"(,"kid":"a")",
                            edwards_.jwk_members() + R"(,"kid":"a")"}))
                .size(),
            2U);
  EXPECT_THAT(problem(set_of({elliptic_.jwk_members() + R"(,"kid":"a")",
                              other.jwk_members() + R"(,"kid":"a")"})),
              HasSubstr("taken"));
}

TEST_F(JwkSetTest, TheSetItselfIsChecked) {
  for (const char* bad : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[1]})",
                          R"({"keys":[],"keys":[]})"}) {
    problem(bad);
  }
  std::string many;
  for (int i = 0; i <= 100; ++i) many += (i == 0 ? "{" : ",{") + elliptic_.jwk_members() + "}";
  EXPECT_THAT(problem("{\"keys\":[" + many + "]}"), HasSubstr("at most 100"));
}

}  // namespace
}  // namespace partywall
