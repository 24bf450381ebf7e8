#include "identity/scram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"

namespace partywall {
namespace {

using testing::HasSubstr;
using testing::Not;

// RFC 7677 section 3.
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const ScramChannelBinding kNoBinding{};
const ScramChannelBinding kBinding{"hash of the certificate"};
const std::vector<std::string> kOfferPlain{"SCRAM-SHA-256"};
const std::vector<std::string> kOfferBoth{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};

ScramVerifier pencil(uint32_t iterations = 4096) {
  return make_scram_verifier("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations)
      .value();
}

ScramServerFsm vector_server(ScramChannelBinding binding = kNoBinding) {
  return {pencil(), std::move(binding), std::string(kServerNonce)};
}

// A whole exchange. The error is that of whoever noticed first.
Result<> exchange(ScramClientFsm& client, ScramServerFsm& server,
                  const std::vector<std::string>& offered) {
  auto mechanism = client.choose_mechanism(offered);
  if (!mechanism) return std::unexpected(mechanism.error());
  auto first = client.first_message();
  if (!first) return std::unexpected(first.error());
  auto server_first = server.respond_to_first(*mechanism, *first);
  if (!server_first) return std::unexpected(server_first.error());
  auto final = client.respond_to_first(*server_first);
  if (!final) return std::unexpected(final.error());
  auto server_final = server.respond_to_final(*final);
  if (!server_final) return std::unexpected(server_final.error());
  return client.check_final(*server_final);
}

ScramClientFsm client_with(std::string password, ScramChannelBinding binding = kNoBinding) {
  return {Secret(std::move(password)), std::nullopt, std::move(binding),
          "fyko+d2lbbFgONRv9qkxdawL"};
}

TEST(ScramServer, AnswersAsTheTestVectorOfRfc7677) {
  ScramServerFsm server = vector_server();
  EXPECT_EQ(server.respond_to_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO").value(),
            kServerFirst);
  EXPECT_FALSE(server.is_authenticated());
  EXPECT_EQ(server.respond_to_final(kClientFinal).value(), kServerFinal);
  EXPECT_TRUE(server.is_authenticated());
}

TEST(ScramServer, DeniesEveryProofWithOneChangedBit) {
  const std::string right = *base64_decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  for (size_t bit = 0; bit < right.size() * 8; ++bit) {
    std::string wrong = right;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    ScramServerFsm server = vector_server();
    ASSERT_TRUE(server.respond_to_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    const auto answer = server.respond_to_final(
        fmt::format("c=biws,r={}{},p={}", kClientNonce, kServerNonce, base64_encode(wrong)));
    ASSERT_FALSE(answer) << bit;
    EXPECT_EQ(answer.error().kind, ErrorKind::kDenied);
    EXPECT_FALSE(server.is_authenticated());
    EXPECT_FALSE(server.respond_to_final(kClientFinal)) << "a second try on the same exchange";
  }
}

TEST(ScramServer, RefusesMalformedFirstMessages) {
  const std::string long_nonce(kMaxScramMessageLength, 'x');
  for (const std::string& message :
       std::vector<std::string>{"",
                                ",",
                                "n",
                                "n,",
                                "n,,",
                                "n,,n=user",
                                "n,,r=abc",
                                "n,,n=user,r=",
                                "n,,n=user,r=a b",
                                "n,,n=user,r=a\x7f",
                                "n,,n=user,r=abc,",
                                "n,,n=user,r=abc,x",
                                "n,,n=user,r=abc,1=x",
                                "n,,m=must,n=user,r=abc",
                                "n,,n=user,r=abc,m=must",
                                "n,a=other,n=user,r=abc",
                                "p=tls-server-end-point,,n=user,r=abc",
                                "p=tls-unique,,n=user,r=abc",
                                "N,,n=user,r=abc",
                                "z,,n=user,r=abc",
                                "n,,n=user,r=" + long_nonce,
                                std::string("n,,n=us\0er,r=abc", 16)}) {
    ScramServerFsm server = vector_server();
    const auto answer = server.respond_to_first("SCRAM-SHA-256", message);
    ASSERT_FALSE(answer) << message;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid) << message;
    EXPECT_FALSE(server.respond_to_final(kClientFinal));
  }
}

TEST(ScramServer, RefusesMalformedFinalMessages) {
  const std::string nonce = fmt::format("{}{}", kClientNonce, kServerNonce);
  const std::string proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  for (const std::string& message : std::vector<std::string>{
           "", "c=biws", "c=biws,r=" + nonce, "r=" + nonce + ",c=biws," + proof,
           "c=biws,r=other," + proof, "c=biws,r=" + nonce + "x," + proof,
           "c=eSws,r=" + nonce + "," + proof, "c=biwsAA==,r=" + nonce + "," + proof,
           "c=,r=" + nonce + "," + proof, "c=biws,r=" + nonce + ",m=x," + proof,
           "c=biws,r=" + nonce + ",x," + proof,
           "c=biws,r=" + nonce + ",p=", "c=biws,r=" + nonce + ",p=AAAA",
           "c=biws,r=" + nonce + "," + proof + ",x=1", "c=biws,r=" + nonce + ",,p=AAAA"}) {
    ScramServerFsm server = vector_server();
    ASSERT_TRUE(server.respond_to_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    const auto answer = server.respond_to_final(message);
    ASSERT_FALSE(answer) << message;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid) << message;
  }
}

TEST(ScramServer, RefusesMessagesOutOfTurn) {
  ScramServerFsm server = vector_server();
  EXPECT_FALSE(server.respond_to_final(kClientFinal));
  ASSERT_TRUE(server.respond_to_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  EXPECT_FALSE(server.respond_to_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  ASSERT_TRUE(server.respond_to_final(kClientFinal));
  EXPECT_FALSE(server.respond_to_final(kClientFinal));
}

TEST(ScramServer, ChecksTheBindingFlagAgainstWhatIsOffered) {
  struct Case {
    std::string mechanism, flag;
    bool with_tls, accepted;
  };
  for (const Case& one : std::vector<Case>{
           {"SCRAM-SHA-256", "n", false, true},
           {"SCRAM-SHA-256", "n", true, true},
           {"SCRAM-SHA-256", "y", false, true},
           {"SCRAM-SHA-256", "y", true, false},  // somebody removed our offer
           {"SCRAM-SHA-256", "p=tls-server-end-point", true, false},
           {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point", true, true},
           {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point", false, false},
           {"SCRAM-SHA-256-PLUS", "p=tls-unique", true, false},
           {"SCRAM-SHA-256-PLUS", "n", true, false},
           {"SCRAM-SHA-256-PLUS", "y", true, false},
           {"SCRAM-SHA-1", "n", false, false},
           {"", "n", false, false},
       }) {
    ScramServerFsm server = vector_server(one.with_tls ? kBinding : kNoBinding);
    EXPECT_EQ(server.respond_to_first(one.mechanism, one.flag + ",,n=,r=abc").has_value(),
              one.accepted)
        << one.mechanism << " " << one.flag << (one.with_tls ? " over TLS" : "");
  }
}

TEST(Scram, ClientAndServerAgree) {
  for (const auto& [binding, offered] :
       {std::pair{kNoBinding, kOfferPlain}, {kBinding, kOfferBoth}}) {
    ScramClientFsm client = client_with("pencil", binding);
    ScramServerFsm server = vector_server(binding);
    const auto outcome = exchange(client, server, offered);
    EXPECT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(server.is_authenticated());
  }
}

TEST(Scram, PlainIsStillAcceptedOverTlsFromClientsThatCannotBind) {
  ScramClientFsm client = client_with("pencil");
  ScramServerFsm server = vector_server(kBinding);
  EXPECT_TRUE(exchange(client, server, kOfferBoth));
}

TEST(Scram, ARemovedOfferOfChannelBindingIsNoticed) {
  ScramClientFsm client = client_with("pencil", kBinding);
  ScramServerFsm server = vector_server(kBinding);
  EXPECT_EQ(exchange(client, server, kOfferPlain).error().kind, ErrorKind::kDenied);
}

TEST(Scram, AnotherCertificateIsNoticed) {
  ScramClientFsm client = client_with("pencil", {"certificate of somebody in between"});
  ScramServerFsm server = vector_server(kBinding);
  EXPECT_EQ(exchange(client, server, kOfferBoth).error().kind, ErrorKind::kDenied);
}

TEST(Scram, AWrongPasswordIsDenied) {
  ScramClientFsm client = client_with("pencils");
  ScramServerFsm server = vector_server();
  EXPECT_EQ(exchange(client, server, kOfferPlain).error().kind, ErrorKind::kDenied);
}

TEST(Scram, AnUnknownUserLooksLikeAWrongPassword) {
  const Secret mock_key("a secret of the node");
  const auto attempt = [&](std::optional<std::string_view> stored, std::string_view user) {
    ScramClientFsm client = client_with("guess");
    ScramServerFsm server(select_scram_verifier(stored, user, mock_key), kNoBinding,
                          std::string(kServerNonce));
    return exchange(client, server, kOfferPlain).error();
  };
  const std::string stored = pencil().to_string();
  EXPECT_EQ(attempt(std::nullopt, "nobody").message, attempt(stored, "somebody").message);
  EXPECT_EQ(attempt(std::nullopt, "nobody").kind, attempt(stored, "somebody").kind);
  EXPECT_EQ(attempt("unreadable", "somebody").kind, ErrorKind::kDenied);
}

TEST(Scram, TheMockSaltIsStableAndItsOwnForEachUserAndNode) {
  const Secret key("node one");
  const ScramVerifier mock = make_mock_scram_verifier("nobody", key);
  EXPECT_EQ(mock.salt, make_mock_scram_verifier("nobody", key).salt);
  EXPECT_EQ(mock.salt.size(), 16U);
  EXPECT_NE(mock.salt, make_mock_scram_verifier("anybody", key).salt);
  EXPECT_NE(mock.salt, make_mock_scram_verifier("nobody", Secret("node two")).salt);
  EXPECT_EQ(mock.iterations, pencil().iterations);
}

TEST(Scram, EvenTheRightProofForTheMockIsDenied) {
  ScramVerifier mock = pencil();
  mock.is_mock = true;
  ScramClientFsm client = client_with("pencil");
  ScramServerFsm server(mock, kNoBinding, std::string(kServerNonce));
  EXPECT_EQ(exchange(client, server, kOfferPlain).error().kind, ErrorKind::kDenied);
}

TEST(ScramVerifier, HasTheFormOfPostgresql) {
  // PostgreSQL accepts it in place of a password (pinned in tests/e2e/sql_register).
  const std::string text = pencil().to_string();
  EXPECT_EQ(
      text,
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  const ScramVerifier parsed = ScramVerifier::parse(text).value();
  EXPECT_EQ(parsed.to_string(), text);
  EXPECT_FALSE(parsed.is_mock);
}

TEST(ScramVerifier, RefusesMalformedText) {
  const std::string text = pencil().to_string();
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ScramVerifier::parse(std::string_view(text).substr(0, length))) << length;
  }
  for (const std::string_view iterations :
       {"0", "-1", "+4096", " 4096", "4096 ", "1000001", "99999999999", "x", ""}) {
    EXPECT_FALSE(
        ScramVerifier::parse(fmt::format("SCRAM-SHA-256${}:{}", iterations, text.substr(19))))
        << iterations;
  }
  EXPECT_FALSE(ScramVerifier::parse(text + "A"));
  EXPECT_FALSE(ScramVerifier::parse("md5" + text));
}

TEST(ScramVerifier, RefusesPasswordsThatWouldNeedNormalising) {
  SeededRandom random(1);
  EXPECT_FALSE(make_scram_verifier("", random));
  EXPECT_FALSE(make_scram_verifier("p\xC3\xA4ssword", random));
  EXPECT_FALSE(make_scram_verifier("tab\there", random));
  EXPECT_THAT(make_scram_verifier("se\x01kret", random).error().message, Not(HasSubstr("kret")));
}

TEST(ScramClient, UsesCachedKeysOnlyForTheSaltTheyBelongTo) {
  auto keys = derive_scram_client_keys(Secret("pencil"), pencil().salt, 4096).value();
  {
    // A wrong password shows that it is not needed.
    ScramClientFsm client(Secret("not needed"), keys, kNoBinding, "abc");
    ScramServerFsm server = vector_server();
    EXPECT_TRUE(exchange(client, server, kOfferPlain));
  }
  {
    ScramClientFsm client(Secret("pencil"), keys, kNoBinding, "abc");
    ScramServerFsm server(pencil(5000), kNoBinding, "def");
    EXPECT_TRUE(exchange(client, server, kOfferPlain));
    EXPECT_EQ(client.keys().iterations, 5000U);
  }
}

ScramClientFsm started_client() {
  ScramClientFsm client = client_with("pencil");
  EXPECT_TRUE(client.choose_mechanism(kOfferPlain));
  EXPECT_TRUE(client.first_message());
  return client;
}

TEST(ScramClient, RefusesMalformedServerMessages) {
  const std::string nonce = "fyko+d2lbbFgONRv9qkxdawL";
  for (const std::string& message :
       std::vector<std::string>{"", "r=" + nonce, "r=" + nonce + ",s=AAAA,i=4096",
                                "r=other,s=AAAA,i=4096", "r=" + nonce + "x,s=,i=4096",
                                "r=" + nonce + "x,s=A,i=4096", "r=" + nonce + "x,s=AAAA,i=0",
                                "r=" + nonce + "x,s=AAAA,i=-1", "r=" + nonce + "x,s=AAAA,i=1000001",
                                "r=" + nonce + "x,s=AAAA,i=", "m=x,r=" + nonce + "x,s=AAAA,i=1",
                                "r=" + nonce + "x,i=1,s=AAAA", "r=" + nonce + "x,s=AAAA,i=1,m=x",
                                "r=" + nonce + "x y,s=AAAA,i=1"}) {
    ScramClientFsm client = started_client();
    const auto answer = client.respond_to_first(message);
    ASSERT_FALSE(answer) << message;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid) << message;
    EXPECT_FALSE(client.check_final("v=AAAA"));
  }
}

TEST(ScramClient, IgnoresUnknownExtensions) {
  ScramClientFsm client = started_client();
  EXPECT_TRUE(client.respond_to_first("r=fyko+d2lbbFgONRv9qkxdawLx,s=AAAA,i=1,z=new"));
}

TEST(ScramClient, DeniesAServerThatDoesNotKnowThePassword) {
  for (const std::string_view message :
       {"v=AAAA", "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "e=invalid-proof"}) {
    ScramClientFsm client = started_client();
    ASSERT_TRUE(client.respond_to_first("r=fyko+d2lbbFgONRv9qkxdawLx,s=AAAA,i=1"));
    EXPECT_EQ(client.check_final(message).error().kind, ErrorKind::kDenied) << message;
    EXPECT_FALSE(client.check_final(message));
  }
}

TEST(ScramClient, NeedsAMechanismThatItKnows) {
  EXPECT_FALSE(client_with("pencil").choose_mechanism({}));
  EXPECT_FALSE(client_with("pencil").choose_mechanism({"SCRAM-SHA-1", "PLAIN"}));
  EXPECT_FALSE(client_with("pencil").choose_mechanism({"SCRAM-SHA-256-PLUS"}));
  EXPECT_FALSE(client_with("pencil").first_message());
}

TEST(Scram, NoncesArePrintableAndFresh) {
  SystemRandom random;
  const std::string nonce = make_scram_nonce(random);
  EXPECT_EQ(nonce.size(), 32U);
  EXPECT_EQ(nonce.find(','), nonce.npos);
  EXPECT_NE(nonce, make_scram_nonce(random));
}

}  // namespace
}  // namespace partywall
