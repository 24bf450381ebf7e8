#include "identity/jwt.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/random.h"
#include "identity/jwt_signer.h"

// The rules of RFC 8725 (JSON Web Token Best Current Practices) are named at the tests that pin
// them.
namespace partywall {
namespace {

using enum JwtAlgorithm;
using testing::HasSubstr;

constexpr WallTime kVerifiedAt{seconds(1'700'000'100)};
constexpr const char* kIssuer = "https://login.example";

// The claims of a good token, with `changes` laid over them: {"exp", ""} leaves exp out, any other
// value replaces or adds.
std::string claims_with(std::vector<std::pair<std::string, std::string>> changes = {}) {
  std::vector<std::pair<std::string, std::string>> members = {{"iss", R"("https://login.example")"},
                                                              {"aud", R"("partywall")"},
                                                              {"sub", R"("alice")"},
                                                              {"tenant_id", R"("acme")"},
                                                              {"iat", "1700000000"},
                                                              {"exp", "1700000300"}};
  for (const auto& [name, value] : changes) {
    std::erase_if(members, [&](const auto& member) { return member.first == name; });
    if (!value.empty()) members.emplace_back(name, value);
  }
  std::string text;
  for (const auto& [name, value] : members)
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", name, value);
  return text + "}";
}

Issuer issuer_with(std::string key_set) {
  return {.issuer = kIssuer, .audience = "partywall", .key_set = std::move(key_set)};
}

std::shared_ptr<const JwtVerifier> verifier_for(const std::vector<Issuer>& issuers) {
  auto verifier = JwtVerifier::create(issuers);
  EXPECT_TRUE(verifier.has_value()) << verifier.error().message;
  return verifier.value_or(nullptr);
}

std::string reason(const Result<VerifiedJwt>& result) {
  EXPECT_FALSE(result.has_value());
  if (result) return "accepted";
  EXPECT_EQ(result.error().kind, ErrorKind::kDenied);
  for (const char c : result.error().message) {
    EXPECT_TRUE(c >= ' ' && c < 0x7F && c != '"' && c != '\\') << result.error().message;
  }
  return result.error().message;
}

class JwtTest : public testing::Test {
 protected:
  Result<VerifiedJwt> verify(const std::string& token, WallTime now = kVerifiedAt) const {
    return verifier_->verify(token, now);
  }
  Result<VerifiedJwt> verify_claims(const std::string& claims, WallTime now = kVerifiedAt) const {
    return verify(signer_.token(claims), now);
  }
  std::string refused_header(std::string_view header) const {
    return reason(verify(signer_.token(header, claims_with())));
  }

  const JwtSigner signer_{kEs256};
  const std::shared_ptr<const JwtVerifier> verifier_ =
      verifier_for({issuer_with(signer_.key_set())});
};

TEST_F(JwtTest, AcceptsAGoodToken) {
  const auto token = verify_claims(claims_with());
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_EQ(token->issuer, kIssuer);
  EXPECT_EQ(token->subject, "alice");
  EXPECT_EQ(token->tenant, "acme");
  EXPECT_EQ(token->expires_at, WallTime(seconds(1'700'000'300)));
}

// ---- form ----

TEST_F(JwtTest, OnlyThreeCanonicalPartsAreAToken) {
  const std::string token = signer_.token(claims_with());
  const size_t first = token.find('.');
  const size_t second = token.find('.', first + 1);
  for (const std::string& bad : std::initializer_list<std::string>{
           "", ".", "..", "...", "a.b", token + ".", "." + token, token + ".x",
           token.substr(0, second), token.substr(0, second + 1), token.substr(first), " " + token,
           token + " ", token + "\n", token + "=",
           token.substr(0, first) + "=" + token.substr(first), "Bearer " + token,
           token.substr(0, first) + ".." + token.substr(second + 1)}) {
    reason(verify(bad));
  }
  std::string standard_alphabet = token;
  standard_alphabet[5] = '+';
  reason(verify(standard_alphabet));
}

TEST_F(JwtTest, EveryPrefixAndEveryChangedCharacterIsRefused) {
  const std::string token = signer_.token(claims_with());
  for (size_t length = 0; length < token.size(); ++length) reason(verify(token.substr(0, length)));
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    reason(verify(changed));
  }
}

TEST_F(JwtTest, ASecondTextOfTheSameBytesIsRefused) {
  // 64 bytes of signature leave four unused bits in the last character; only zeros are canonical.
  std::string token = signer_.token(claims_with());
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = kAlphabet[kAlphabet.find(token.back()) + 1];
  EXPECT_THAT(reason(verify(token)), HasSubstr("canonical"));
}

TEST_F(JwtTest, TokensAbove8KiBAreRefused) {
  const auto padded = [&](size_t length) {
    return signer_.token(claims_with({{"filler", "\"" + std::string(length, 'x') + "\""}}));
  };
  size_t length = 5'500;
  while (padded(length + 1).size() <= kMaxJwtLength) ++length;
  EXPECT_TRUE(verify(padded(length)).has_value());
  EXPECT_THAT(reason(verify(padded(length + 4))), HasSubstr("8192"));
}

TEST_F(JwtTest, HeaderAndClaimsMustBeStrictJsonObjects) {
  for (const char* bad :
       {"", "[]", "null", "\"x\"", "1", "{", R"({"alg":"ES256")", R"({"alg":"ES256",})", "{} {}"}) {
    refused_header(bad);
    reason(verify_claims(bad));
  }
}

// RFC 8725 has no word on it, RFC 7515 section 4 leaves a choice: readers must not differ.
TEST_F(JwtTest, MembersThatAppearTwiceAreRefused) {
  EXPECT_THAT(refused_header(R"({"alg":"ES256","kid":"key-1","alg":"ES256"})"),
              HasSubstr("strict"));
  EXPECT_THAT(refused_header(R"({"alg":"ES256","kid":"key-1","\u0061lg":"none"})"),
              HasSubstr("strict"));
  std::string claims = claims_with();
  claims.insert(1, R"("tenant_id":"globex",)");
  EXPECT_THAT(reason(verify_claims(claims)), HasSubstr("strict"));
}

// ---- header ----

// RFC 8725 section 3.1: perform algorithm verification; section 3.2: use appropriate algorithms.
TEST_F(JwtTest, NoneAndForeignAlgorithmsAreRefused) {
  const std::string claims = claims_with();
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", "HS384", "HS512", "ES512", "ES256K",
                                "es256", "ES256 ", "", "RSA1_5", "A128GCM", "dir"}) {
    EXPECT_THAT(refused_header(fmt::format(R"({{"alg":"{}","kid":"key-1"}})", algorithm)),
                HasSubstr("algorithm"));
  }
  EXPECT_THAT(refused_header(R"({"kid":"key-1"})"), HasSubstr("algorithm"));
  EXPECT_THAT(refused_header(R"({"alg":["ES256"],"kid":"key-1"})"), HasSubstr("algorithm"));
  EXPECT_THAT(refused_header(R"({"alg":null,"kid":"key-1"})"), HasSubstr("algorithm"));
  const std::string unsigned_text =
      base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(claims) + ".";
  reason(verify(unsigned_text));
  reason(verify(unsigned_text + "AA"));
}

// RFC 8725 section 3.10: do not trust received claims ("jku", "x5u"), nor keys brought along.
TEST_F(JwtTest, AHeaderThatBringsAKeyIsRefused) {
  const JwtSigner attacker(kEs256, "key-1");
  for (const char* name : {"jku", "jwk", "x5u", "x5c"}) {
    const std::string value = std::string(name) == "jwk" ? "{" + attacker.jwk_members() + "}"
                                                         : R"("https://evil.example/keys")";
    const std::string header =
        fmt::format(R"({{"alg":"ES256","kid":"key-1","{}":{}}})", name, value);
    EXPECT_THAT(reason(verify(attacker.token(header, claims_with()))), HasSubstr("own key"));
    EXPECT_THAT(refused_header(header), HasSubstr("own key"));  // even if the signature is right
  }
}

// RFC 7515 section 4.1.11: extensions that are not understood make the token invalid; we have none.
TEST_F(JwtTest, CriticalExtensionsAreRefused) {
  for (const char* critical : {R"(["exp"])", R"(["b64"])", "[]", "null"}) {
    EXPECT_THAT(refused_header(fmt::format(
                    R"({{"alg":"ES256","kid":"key-1","b64":false,"crit":{}}})", critical)),
                HasSubstr("crit"));
  }
}

// RFC 8725 sections 3.11, 3.12: explicit typing keeps other kinds of token apart.
TEST_F(JwtTest, OnlyTypesOfAccessTokens) {
  const auto header = [](std::string_view type) {
    return fmt::format(R"({{"alg":"ES256","kid":"key-1","typ":{}}})", type);
  };
  for (const char* type :
       {R"("JWT")", R"("jwt")", R"("at+jwt")", R"("application/at+jwt")", R"("AT+JWT")"}) {
    EXPECT_TRUE(verify(signer_.token(header(type), claims_with())).has_value()) << type;
  }
  EXPECT_TRUE(verify(signer_.token(R"({"alg":"ES256","kid":"key-1"})", claims_with())).has_value());
  for (const char* type : {R"("dpop+jwt")", R"("logout+jwt")", R"("secevent+jwt")", R"("JOSE")",
                           R"("")", "null", "1", R"(["JWT"])"}) {
    EXPECT_THAT(refused_header(header(type)), HasSubstr("typ"));
  }
}

TEST_F(JwtTest, TheKidMustBeAShortText) {
  for (const std::string& kid : std::initializer_list<std::string>{
           "1", "null", R"("")", R"(["key-1"])", "\"" + std::string(257, 'k') + "\""}) {
    EXPECT_THAT(refused_header(R"({"alg":"ES256","kid":)" + kid + "}"), HasSubstr("kid"));
  }
}

// ---- keys ----

TEST_F(JwtTest, AnUnknownKidIsRefusedAndOneThatIsNotThereNeedsASingleKey) {
  EXPECT_THAT(refused_header(R"({"alg":"ES256","kid":"key-2"})"), HasSubstr("no key"));
  EXPECT_THAT(refused_header(R"({"alg":"ES256","kid":"../key-1"})"), HasSubstr("no key"));
  EXPECT_TRUE(verify(signer_.token(R"({"alg":"ES256"})", claims_with())).has_value());

  const JwtSigner other(kEs256, "key-2");
  const auto both = verifier_for(
      {issuer_with(fmt::format(R"({{"keys":[{{{},"kid":"key-1"}},{{{},"kid":"key-2"}}]}})",
                               signer_.jwk_members(), other.jwk_members()))});
  EXPECT_TRUE(both->verify(signer_.token(claims_with()), kVerifiedAt).has_value());
  EXPECT_TRUE(both->verify(other.token(claims_with()), kVerifiedAt).has_value());
  EXPECT_THAT(reason(both->verify(signer_.token(R"({"alg":"ES256"})", claims_with()), kVerifiedAt)),
              HasSubstr("no key"));
  EXPECT_THAT(reason(both->verify(signer_.token(other.header(), claims_with()), kVerifiedAt)),
              HasSubstr("signature"));
}

TEST_F(JwtTest, WithoutAKidTheAlgorithmMaySingleOutTheKey) {
  const JwtSigner edwards(kEdDsa, "key-2");
  const auto both = verifier_for({issuer_with(
      fmt::format(R"({{"keys":[{{{}}},{{{}}}]}})", signer_.jwk_members(), edwards.jwk_members()))});
  EXPECT_TRUE(
      both->verify(signer_.token(R"({"alg":"ES256"})", claims_with()), kVerifiedAt).has_value());
  EXPECT_TRUE(
      both->verify(edwards.token(R"({"alg":"EdDSA"})", claims_with()), kVerifiedAt).has_value());
  // Keys without a kid are never chosen by one.
  EXPECT_THAT(reason(both->verify(signer_.token(claims_with()), kVerifiedAt)), HasSubstr("no key"));
}

// RFC 8725 section 2.1: an HMAC made with the RSA public key as the secret.
TEST(Jwt, TheKeyDecidesTheAlgorithm) {
  const JwtSigner rsa(kRs256);
  const auto verifier = verifier_for({issuer_with(rsa.key_set())});
  ASSERT_TRUE(verifier->verify(rsa.token(claims_with()), kVerifiedAt).has_value());
  const std::string hs256 = R"({"alg":"HS256","typ":"JWT","kid":"key-1"})";
  const std::string signed_text = base64url_encode(hs256) + "." + base64url_encode(claims_with());
  for (const std::string& public_text : {rsa.key_set(), rsa.jwk_members(), std::string()}) {
    const auto mac = hmac_sha256(public_text, signed_text);
    EXPECT_THAT(
        reason(verifier->verify(signed_text + "." + base64url_encode(as_bytes(mac)), kVerifiedAt)),
        HasSubstr("no key"));
  }
  // The same key with another padding or digest is another algorithm, too.
  for (const char* algorithm : {"RS384", "RS512", "PS256", "PS384", "PS512"}) {
    const std::string header = fmt::format(R"({{"alg":"{}","kid":"key-1"}})", algorithm);
    EXPECT_THAT(reason(verifier->verify(rsa.token(header, claims_with()), kVerifiedAt)),
                HasSubstr("no key"));
  }
}

TEST(Jwt, EveryAlgorithmVerifiesItsOwnAndNoOther) {
  for (const JwtAlgorithm algorithm :
       {kRs256, kRs384, kRs512, kPs256, kPs384, kPs512, kEs256, kEs384, kEdDsa, kHs256}) {
    SCOPED_TRACE(describe(algorithm).name);
    const JwtSigner signer(algorithm);
    const JwtSigner stranger(algorithm == kHs256 ? kEs256 : algorithm, "stranger");
    const auto verifier = verifier_for({issuer_with(signer.key_set())});
    const std::string token = signer.token(claims_with());
    EXPECT_TRUE(verifier->verify(token, kVerifiedAt).has_value());
    EXPECT_THAT(
        reason(verifier->verify(stranger.token(signer.header(), claims_with()), kVerifiedAt)),
        HasSubstr("signature"));
    std::string changed = signer.signature("other text");
    EXPECT_THAT(
        reason(verifier->verify(token.substr(0, token.rfind('.') + 1) + base64url_encode(changed),
                                kVerifiedAt)),
        HasSubstr("signature"));
  }
}

// Psychic signatures (CVE-2022-21449) and other degenerate ones.
TEST_F(JwtTest, DegenerateSignaturesAreRefused) {
  const std::string token = signer_.token(claims_with());
  const std::string head = token.substr(0, token.rfind('.') + 1);
  const std::string order = "\xFF\xFF\xFF\xFF" + std::string(4, '\0') +
                            "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" +
                            "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
  ASSERT_EQ(order.size(), 32U);
  for (const std::string& bytes : std::initializer_list<std::string>{
           std::string(64, '\0'), std::string(64, '\xFF'), order + order,
           std::string(32, '\0') + order, std::string(63, '\1'), std::string(65, '\1'),
           std::string(1, '\0'), std::string(128, '\0'), "\x30\x06\x02\x01\x01\x02\x01\x01"}) {
    EXPECT_THAT(reason(verify(head + base64url_encode(bytes))), HasSubstr("signature"));
  }
}

// One signature must have one form, or a token could be changed without becoming invalid.
TEST_F(JwtTest, NumbersOfASignatureHaveTheirFullSize) {
  const std::string token = signer_.token(claims_with());
  const std::string head = token.substr(0, token.rfind('.') + 1);
  const std::string good = base64url_decode(token.substr(head.size())).value();
  ASSERT_TRUE(verify(head + base64url_encode(good)).has_value());
  const std::string zero(1, '\0');
  EXPECT_THAT(
      reason(verify(head + base64url_encode(zero + good.substr(0, 32) + zero + good.substr(32)))),
      HasSubstr("signature"));
}

// RFC 7518 section 3.5: the salt is as long as the digest.
TEST(Jwt, PssSaltsOfAnotherLengthAreRefused) {
  const JwtSigner signer(kPs256);
  const auto verifier = verifier_for({issuer_with(signer.key_set())});
  const std::string signed_text =
      base64url_encode(signer.header()) + "." + base64url_encode(claims_with());
  const auto verify_salt = [&](int bytes) {
    return verifier->verify(
        signed_text + "." + base64url_encode(signer.pss_signature(signed_text, bytes)),
        kVerifiedAt);
  };
  EXPECT_TRUE(verify_salt(32).has_value());
  for (const int bytes : {0, 20, 31, 33, 64})
    EXPECT_THAT(reason(verify_salt(bytes)), HasSubstr("signature"));
}

TEST_F(JwtTest, AFailureLeavesNothingInTheErrorQueueOfOpenssl) {
  ERR_clear_error();
  const std::string token = signer_.token(claims_with());
  reason(verify(token.substr(0, token.rfind('.') + 1) + base64url_encode(std::string(64, '\0'))));
  EXPECT_FALSE(
      JwtVerifier::create({issuer_with(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})")}));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

// RFC 8725 section 3.8: the keys must belong to the issuer.
TEST(Jwt, AnIssuerCannotSpeakForAnother) {
  const JwtSigner one(kEs256);
  const JwtSigner two(kEs256);
  const auto verifier =
      verifier_for({{.issuer = "https://one", .audience = "partywall", .key_set = one.key_set()},
                    {.issuer = "https://two", .audience = "partywall", .key_set = two.key_set()}});
  const std::string as_one = claims_with({{"iss", R"("https://one")"}});
  EXPECT_TRUE(verifier->verify(one.token(as_one), kVerifiedAt).has_value());
  EXPECT_THAT(reason(verifier->verify(two.token(as_one), kVerifiedAt)), HasSubstr("signature"));
  for (const char* name : {R"("https://three")", R"("https://one/")", R"("HTTPS://ONE")", R"("")",
                           "1", "null", R"(["https://one"])", ""}) {
    EXPECT_THAT(reason(verifier->verify(one.token(claims_with({{"iss", name}})), kVerifiedAt)),
                HasSubstr("issuer"));
  }
  EXPECT_THAT(reason(verifier_for({})->verify(one.token(as_one), kVerifiedAt)),
              HasSubstr("issuer"));
}

// ---- claims ----

// RFC 8725 section 3.9: use and validate the audience.
TEST_F(JwtTest, TheAudienceMustBeOurs) {
  for (const char* audience : {R"("partywall")", R"(["partywall"])", R"(["other","partywall"])"}) {
    EXPECT_TRUE(verify_claims(claims_with({{"aud", audience}})).has_value()) << audience;
  }
  for (const char* audience :
       {"", R"("other")", R"("partywall2")", R"("Partywall")", R"(["other"])", "[]", "null", "1",
        R"({"partywall":1})", R"([["partywall"]])", R"(["partywall",1])", R"("other partywall")"}) {
    EXPECT_THAT(reason(verify_claims(claims_with({{"aud", audience}}))), HasSubstr("audience"))
        << audience;
  }
}

TEST_F(JwtTest, ExpiryIsRequiredAndHonouredWithTheLeeway) {
  for (const char* expiry :
       {"", "null", R"("1700000300")", "-1", "1e300", "253402300800", "[1700000300]", "true"}) {
    EXPECT_THAT(reason(verify_claims(claims_with({{"exp", expiry}}))), HasSubstr("expire"))
        << expiry;
  }
  const std::string claims = claims_with();
  EXPECT_TRUE(verify_claims(claims, WallTime(milliseconds(1'700'000'329'999))).has_value());
  EXPECT_THAT(reason(verify_claims(claims, WallTime(milliseconds(1'700'000'330'000)))),
              HasSubstr("has expired"));
  // Fractions are allowed (RFC 7519 section 2).
  const std::string fraction = claims_with({{"exp", "1700000070.25"}});
  EXPECT_TRUE(verify_claims(fraction, WallTime(milliseconds(1'700'000'100'249))).has_value());
  EXPECT_THAT(reason(verify_claims(fraction, WallTime(milliseconds(1'700'000'100'250)))),
              HasSubstr("has expired"));
}

TEST_F(JwtTest, NotBeforeAndIssuedAtMustNotLieAhead) {
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_TRUE(verify_claims(claims_with({{name, "1700000130"}})).has_value());
    EXPECT_THAT(reason(verify_claims(claims_with({{name, "1700000131"}}))),
                HasSubstr("not valid yet"));
    EXPECT_THAT(reason(verify_claims(claims_with({{name, R"("1700000000")"}}))),
                HasSubstr("not a time"));
    EXPECT_THAT(reason(verify_claims(claims_with({{name, "null"}}))), HasSubstr("not a time"));
  }
  EXPECT_TRUE(verify_claims(claims_with({{"iat", ""}})).has_value());
}

TEST_F(JwtTest, TheSubjectIsOptionalButAText) {
  EXPECT_EQ(verify_claims(claims_with({{"sub", ""}}))->subject, "");
  EXPECT_THAT(reason(verify_claims(claims_with({{"sub", "7"}}))), HasSubstr("sub"));
}

// Fail closed: no tenant, no data.
TEST_F(JwtTest, ATokenWithoutATenantIsRefused) {
  for (const std::string& tenant : std::initializer_list<std::string>{
           "", "null", "1", R"("")", R"(["acme"])", "{}", "\"" + std::string(65, 'a') + "\""}) {
    EXPECT_THAT(reason(verify_claims(claims_with({{"tenant_id", tenant}}))), HasSubstr("tenant"))
        << tenant;
  }
}

TEST_F(JwtTest, TheTenantClaimMayBeAPathOrAWholeName) {
  const auto with_claim = [&](std::string claim) {
    Issuer issuer = issuer_with(signer_.key_set());
    issuer.tenant_claim = std::move(claim);
    return verifier_for({issuer});
  };
  const auto nested = with_claim("app.org.tenant");
  EXPECT_EQ(nested
                ->verify(signer_.token(claims_with({{"app", R"({"org":{"tenant":"globex"}})"}})),
                         kVerifiedAt)
                ->tenant,
            "globex");
  EXPECT_THAT(reason(nested->verify(signer_.token(claims_with({{"app", R"({"org":"tenant"})"}})),
                                    kVerifiedAt)),
              HasSubstr("tenant"));
  EXPECT_THAT(reason(nested->verify(signer_.token(claims_with()), kVerifiedAt)),
              HasSubstr("tenant"));
  const auto named = with_claim("https://example.com/tenant");
  EXPECT_EQ(
      named
          ->verify(signer_.token(claims_with({{"https://example.com/tenant", R"("globex")"}})),
                   kVerifiedAt)
          ->tenant,
      "globex");
  for (const char* odd : {".", "tenant_id.", ".tenant_id", "a..b"}) {
    EXPECT_THAT(reason(with_claim(odd)->verify(signer_.token(claims_with()), kVerifiedAt)),
                HasSubstr("tenant"));
  }
}

TEST_F(JwtTest, ReasonsHoldNothingOfTheToken) {
  const std::string marker = "MARKER";
  for (const std::string& token :
       {signer_.token(R"({"alg":"MARKER"})", "{}"),
        signer_.token(R"({"alg":"ES256","kid":"MARKER"})", claims_with()),
        signer_.token(R"({"alg":"ES256","typ":"MARKER"})", claims_with()),
        signer_.token(claims_with({{"iss", R"("MARKER")"}})),
        signer_.token(claims_with({{"aud", R"("MARKER")"}})),
        signer_.token(R"({"MARKER":1,"MARKER":1})", "{}")}) {
    EXPECT_EQ(reason(verify(token)).find(marker), std::string::npos);
  }
}

TEST(Jwt, SettingsThatCannotWorkAreRefusedNamingTheIssuer) {
  const JwtSigner signer(kEs256);
  const auto problem = [&](auto change) {
    Issuer issuer = issuer_with(signer.key_set());
    change(issuer);
    const auto verifier = JwtVerifier::create({issuer});
    EXPECT_FALSE(verifier.has_value());
    return verifier ? std::string() : verifier.error().message;
  };
  EXPECT_THAT(problem([](Issuer& i) { i.issuer = ""; }), HasSubstr("'issuer'"));
  EXPECT_THAT(problem([](Issuer& i) { i.audience = ""; }),
              HasSubstr("token issuer 'https://login.example'"));
  EXPECT_THAT(problem([](Issuer& i) { i.tenant_claim = ""; }), HasSubstr("'tenant_claim'"));
  EXPECT_THAT(problem([](Issuer& i) { i.leeway = seconds(-1); }), HasSubstr("'leeway'"));
  EXPECT_THAT(problem([](Issuer& i) { i.leeway = minutes(6); }), HasSubstr("'leeway'"));
  EXPECT_THAT(problem([](Issuer& i) { i.key_set = "{}"; }),
              HasSubstr("'https://login.example': not a JWK Set"));
  EXPECT_THAT(problem([](Issuer& i) { i.default_algorithm = "none"; }), HasSubstr("'none'"));
  const Issuer twice = issuer_with(signer.key_set());
  EXPECT_FALSE(JwtVerifier::create({twice, twice}).has_value());
}

// One verifier serves all workers.
TEST(Jwt, ManyThreadsMayVerifyAtOnce) {
  for (const JwtAlgorithm algorithm : {kRs256, kPs256, kEs256, kEdDsa, kHs256}) {
    const JwtSigner signer(algorithm);
    const auto verifier = verifier_for({issuer_with(signer.key_set())});
    const std::string good = signer.token(claims_with());
    const std::string bad =
        good.substr(0, good.rfind('.') + 1) + base64url_encode(signer.signature("other text"));
    std::atomic<int> wrong{0};
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 40; ++i) {
          if (!verifier->verify(good, kVerifiedAt).has_value()) ++wrong;
          if (verifier->verify(bad, kVerifiedAt).has_value()) ++wrong;
        }
      });
    }
    threads.clear();
    EXPECT_EQ(wrong.load(), 0) << describe(algorithm).name;
  }
}

}  // namespace
}  // namespace partywall
