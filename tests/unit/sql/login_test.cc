#include <gtest/gtest.h>

#include "identity/context_token.h"
#include "sql/client/client_login_fsm.h"
#include "sql/client/directory_tenant_resolver.h"
#include "sql/messages.h"
#include "sql/server/server_login_fsm.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"

namespace partywall::sql {
namespace {

using namespace testing;
using namespace std::string_literals;
using Action = ClientLoginFsm::Action;

constexpr std::string_view kPassword = "correct horse";
const TenantId kAcme(Uuid::from_halves(1, 1));
const TenantId kGlobex(Uuid::from_halves(2, 2));
const WallTime kNow{seconds(1'700'000'000)};

DirectoryRef make_directory() {
  SeededRandom random(5);
  const std::string verifier = make_scram_verifier(kPassword, random)->to_string();
  DirectoryData data;
  data.tiers.push_back({.name = "free"});
  Cell cell;
  cell.name = "main";
  cell.sql.database = "shop";
  data.cells.push_back(cell);
  cell.name = "other";
  data.cells.push_back(cell);
  data.tenants.push_back({.id = kAcme,
                          .number = TenantNumber(0),
                          .slug = "acme",
                          .name = "Acme",
                          .tier = "free",
                          .cell = "main"});
  data.tenants.push_back({.id = kGlobex,
                          .number = TenantNumber(1),
                          .slug = "globex",
                          .name = "Globex",
                          .tier = "free",
                          .cell = "main"});
  data.tenants.push_back({.id = TenantId(Uuid::from_halves(3, 3)),
                          .number = TenantNumber(2),
                          .slug = "far",
                          .name = "Far",
                          .tier = "free",
                          .cell = "other"});
  data.tenants.push_back({.id = TenantId(Uuid::from_halves(4, 4)),
                          .number = TenantNumber(3),
                          .slug = "gone",
                          .name = "Gone",
                          .tier = "free",
                          .cell = "main",
                          .status = TenantStatus::kSuspended});
  data.context_keys.push_back({.id = 1, .key = Secret(std::string(32, 'k'))});
  const auto add_login = [&](std::string user, LoginClass login_class,
                             std::optional<TenantId> tenant, std::string verifier_text) {
    SqlLogin login;
    login.user = std::move(user);
    login.login_class = login_class;
    login.verifier = std::move(verifier_text);
    login.cell = tenant ? "" : "main";
    login.tenant = tenant;
    if (login_class == LoginClass::kAsserting)
      login.addresses.push_back(*AddressBlock::parse("10.0.0.0/8"));
    data.sql_logins.push_back(std::move(login));
  };
  add_login("acme", LoginClass::kBound, kAcme, verifier);
  add_login("gone", LoginClass::kBound, TenantId(Uuid::from_halves(4, 4)), verifier);
  add_login("app", LoginClass::kApplication, std::nullopt, verifier);
  add_login("trusted", LoginClass::kAsserting, std::nullopt, verifier);
  auto built = Directory::build(std::move(data));
  EXPECT_TRUE(built) << built.error().message;
  return *built;
}

DirectoryRef directory() {
  static const DirectoryRef made = make_directory();
  return made;
}

std::string context(TenantId tenant, Audience audience = Audience::kSql, Duration age = {}) {
  const WallTime issued = kNow - std::chrono::duration_cast<milliseconds>(age);
  return *mint_context({.tenant = tenant,
                        .audience = audience,
                        .issued_at = issued,
                        .expires_at = issued + seconds(60),
                        .request_id = {}},
                       directory()->context_keys());
}

const std::vector<ConsoleLogin>& console_logins() {
  static const std::vector<ConsoleLogin> logins = [] {
    SeededRandom random(6);
    ConsoleLogin login{.user = "ops",
                       .rights = ConsoleRights::kOperate,
                       .verifier = make_scram_verifier(kPassword, random)->to_string(),
                       .addresses = {*AddressBlock::parse("10.0.0.0/8")}};
    ConsoleLogin acme = login;
    acme.user = "acme";  // also a tenant
    acme.rights = ConsoleRights::kLook;
    acme.verifier = make_scram_verifier("another", random)->to_string();
    return std::vector<ConsoleLogin>{login, acme};
  }();
  return logins;
}

const net::Peer kTcp{.endpoint = {"127.0.0.1", 5}};
const net::Peer kUnix{.endpoint = {"/run/door.sock", 0}};
const net::Peer kListed{.endpoint = {"10.1.2.3", 5}};

std::string startup(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  append_startup_request(out, parameters);
  return out;
}

std::string encryption_request(uint32_t low) {
  std::string out;
  append_u32(out, 8);
  append_u32(out, (1234U << 16) | low);
  return out;
}

// A client that logs in by SCRAM or with a token, fed in pieces of `split` bytes.
class Login {
 public:
  explicit Login(net::Peer peer, ClientLoginFsm::Tls tls = ClientLoginFsm::Tls::kUnavailable,
                 size_t split = SIZE_MAX)
      : fsm_(
            std::move(peer), tls,
            [this] { return LoginAuthority{directory_, nullptr, kNow, console_logins()}; },
            random_),
        split_(split) {}

  Action send(std::string_view bytes) {
    Action action = Action::kNeedMore;
    while (!bytes.empty()) {
      unread_.append(bytes.substr(0, split_));
      bytes.remove_prefix(std::min(split_, bytes.size()));
      std::string_view input = unread_;
      action = fsm_.receive(input, answer);
      unread_.erase(0, unread_.size() - input.size());
      if (action != Action::kNeedMore) break;
    }
    return action;
  }
  Action log_in(const std::vector<std::pair<std::string, std::string>>& parameters,
                std::string_view password = kPassword) {
    const Action first = send(startup(parameters));
    if (first != Action::kNeedMore) return first;
    auto messages = take_messages(answer);
    if (messages.empty()) return Action::kNeedMore;
    const Message& request = messages.back();
    if (load_u32(request.body) == 3) {  // clear text
      std::string token;
      MessageWriter(token, 'p').c_string(password);
      return send(token);
    }
    EXPECT_EQ(request.body, std::string("\0\0\0\x0a", 4) + "SCRAM-SHA-256\0\0"s);
    ScramClientFsm scram(Secret(std::string(password)), std::nullopt, {},
                         "client-nonce-of-the-test");
    const std::vector<std::string> mechanisms{"SCRAM-SHA-256"};
    const auto mechanism = scram.choose_mechanism(mechanisms);
    const std::string first_message = *scram.first_message();
    std::string out;
    MessageWriter(out, 'p')
        .c_string(*mechanism)
        .u32(static_cast<uint32_t>(first_message.size()))
        .bytes(first_message);
    if (const Action action = send(out); action != Action::kNeedMore) return action;
    messages = take_messages(answer);
    const auto final_message = scram.respond_to_first(messages.at(0).body.substr(4));
    out.clear();
    MessageWriter(out, 'p').bytes(*final_message);
    const Action last = send(out);
    if (last == Action::kAdmitted) {
      messages = take_messages(answer);
      EXPECT_TRUE(scram.check_final(messages.at(0).body.substr(4)));
    }
    return last;
  }
  std::string error() {
    const auto messages = take_messages(answer);
    return messages.empty() || messages.back().type != 'E'
               ? ""
               : std::string(read_server_error(messages.back().body)->sqlstate);
  }
  ClientLoginFsm& fsm() { return fsm_; }

  std::string answer;

 private:
  DirectoryRef directory_ = directory();
  SeededRandom random_{9};
  ClientLoginFsm fsm_;
  size_t split_;
  std::string unread_;
};

TEST(ClientLogin, BoundLoginByScramHoweverItsBytesAreCut) {
  for (const size_t split : {size_t{1}, size_t{2}, size_t{7}, SIZE_MAX}) {
    Login login(kTcp, ClientLoginFsm::Tls::kUnavailable, split);
    EXPECT_EQ(login.log_in({{"user", "acme"}, {"database", "shop"}, {"application_name", "psql"}}),
              Action::kAdmitted);
    const Admission& admission = login.fsm().admission();
    EXPECT_EQ(admission.tenant, kAcme);
    EXPECT_EQ(admission.cell, "main");
    EXPECT_EQ(admission.login_class, LoginClass::kBound);
    EXPECT_EQ(*admission.settings->find("application_name"), "psql");
  }
}

TEST(ClientLogin, WrongPasswordUnknownUserAndSuspendedTenantStayOut) {
  Login wrong(kTcp);
  EXPECT_EQ(wrong.log_in({{"user", "acme"}}, "wrong"), Action::kClose);
  EXPECT_EQ(wrong.error(), "28P01");
  Login unknown(kTcp);
  EXPECT_EQ(unknown.log_in({{"user", "nobody"}}), Action::kClose);
  EXPECT_EQ(unknown.error(), "28P01");
  Login suspended(kTcp);
  EXPECT_EQ(suspended.log_in({{"user", "gone"}}), Action::kClose);
  EXPECT_EQ(suspended.error(), "28000");
}

TEST(ClientLogin, UnknownUserGetsTheSameSaltEachTime) {
  const auto first_answer = [](std::string_view user) {
    Login login(kTcp);
    login.send(startup({{"user", std::string(user)}}));
    login.answer.clear();
    std::string out;
    const std::string_view first = "n,,n=,r=abcdefghijklmnop";
    MessageWriter(out, 'p')
        .c_string("SCRAM-SHA-256")
        .u32(static_cast<uint32_t>(first.size()))
        .bytes(first);
    login.send(out);
    const std::string body = take_messages(login.answer).at(0).body;
    return body.substr(body.find(",s="));
  };
  EXPECT_EQ(first_answer("nobody"), first_answer("nobody"));
  EXPECT_NE(first_answer("nobody"), first_answer("somebody"));
}

TEST(ClientLogin, TokenIsAPasswordOnlyWhereNobodyCanListen) {
  const std::string token = context(kGlobex);
  Login over_unix(kUnix);
  EXPECT_EQ(over_unix.log_in({{"user", "globex"}}, token), Action::kAdmitted);
  EXPECT_EQ(over_unix.fsm().admission().tenant, kGlobex);
  net::Peer encrypted = kTcp;
  encrypted.encrypted = true;
  Login over_tls(encrypted);
  EXPECT_EQ(over_tls.log_in({{"user", "globex"}}, token), Action::kAdmitted);
  Login plain(kTcp);
  EXPECT_EQ(plain.log_in({{"user", "globex"}}, token), Action::kClose);
  EXPECT_EQ(plain.error(), "28P01");
  // A login that has a password may ask for it.
  Login asked(kUnix);
  EXPECT_EQ(
      asked.log_in({{"user", "acme"}, {"options", "-c partywall.auth=token"}}, context(kAcme)),
      Action::kAdmitted);
}

TEST(ClientLogin, TokenOfAnotherTenantAudienceOrTimeStaysOut) {
  for (const std::string& token : {context(kAcme), context(kGlobex, Audience::kCache),
                                   context(kGlobex, Audience::kSql, seconds(61)), "pw1.x.y"s,
                                   "not.a.jwt"s, ""s, context(kGlobex) + "x"}) {
    Login login(kUnix);
    EXPECT_EQ(login.log_in({{"user", "globex"}}, token), Action::kClose) << token;
  }
}

TEST(ClientLogin, AssertingLoginsComeFromListedAddresses) {
  Login listed(kListed);
  EXPECT_EQ(listed.log_in({{"user", "trusted"}}), Action::kAdmitted);
  Login elsewhere(kTcp);
  EXPECT_EQ(elsewhere.log_in({{"user", "trusted"}}), Action::kClose);
  EXPECT_EQ(elsewhere.error(), "28000");
}

TEST(ClientLogin, OperatorsReachTheConsoleAndNothingElse) {
  Login ops(kListed);
  ASSERT_EQ(ops.log_in({{"user", "ops"}, {"database", "partywall"}}), Action::kAdmitted);
  EXPECT_EQ(ops.fsm().admission().console, ConsoleRights::kOperate);
  EXPECT_FALSE(ops.fsm().admission().tenant);
  EXPECT_EQ(Login(kListed).log_in({{"user", "ops"}, {"database", "shop"}}), Action::kClose);
  EXPECT_EQ(Login(kListed).log_in({{"user", "ops"}, {"database", "partywall"}}, "wrong"),
            Action::kClose);
  Login elsewhere(kTcp);
  EXPECT_EQ(elsewhere.log_in({{"user", "ops"}, {"database", "partywall"}}), Action::kClose);
  EXPECT_EQ(elsewhere.error(), "28000");
  EXPECT_EQ(Login(kUnix).log_in({{"user", "ops"}, {"database", "partywall"}}), Action::kAdmitted);
}

TEST(ClientLogin, NoTenantReachesTheConsole) {
  // An operator of the same name has a password of its own; a tenant's does not open the console,
  // and the operator's does not open the tenant.
  EXPECT_EQ(Login(kListed).log_in({{"user", "acme"}, {"database", "partywall"}}), Action::kClose);
  EXPECT_EQ(Login(kListed).log_in({{"user", "acme"}, {"database", "shop"}}, "another"),
            Action::kClose);
  Login acme(kListed);
  ASSERT_EQ(acme.log_in({{"user", "acme"}, {"database", "shop"}}), Action::kAdmitted);
  EXPECT_FALSE(acme.fsm().admission().console);
  // Whose user is no operator gets what that name of a database means to its login.
  Login app(kListed);
  ASSERT_EQ(app.log_in({{"user", "app"}, {"database", "partywall"}}), Action::kAdmitted);
  EXPECT_FALSE(app.fsm().admission().console);
  const auto token = context(kAcme);
  EXPECT_EQ(
      Login(kUnix).log_in(
          {{"user", "ops"}, {"database", "partywall"}, {"options", "-c partywall.auth=token"}},
          token),
      Action::kClose);
}

TEST(ClientLogin, ContextAtStartupIsTheSessionsTenant) {
  Login login(kTcp);
  EXPECT_EQ(
      login.log_in({{"user", "app"}, {"options", "-c app.current_tenant=" + context(kGlobex)}}),
      Action::kAdmitted);
  EXPECT_EQ(login.fsm().admission().session_tenant, kGlobex);
  Login other(kTcp);
  EXPECT_EQ(
      other.log_in({{"user", "acme"}, {"options", "-c app.current_tenant=" + context(kGlobex)}}),
      Action::kClose);
  EXPECT_EQ(other.error(), "42501");
}

TEST(ClientLogin, OnlyKnownStartupParameters) {
  Login unknown(kTcp);
  EXPECT_EQ(unknown.log_in({{"user", "acme"}, {"session_preload_libraries", "x"}}), Action::kClose);
  EXPECT_EQ(unknown.error(), "0A000");
  Login odd(kTcp);
  EXPECT_EQ(odd.log_in({{"user", "acme"}, {"TimeZone", "\xff"}}), Action::kClose);
  EXPECT_EQ(odd.error(), "22023");
  Login replication(kTcp);
  EXPECT_EQ(replication.log_in({{"user", "acme"}, {"replication", "database"}}), Action::kClose);
  EXPECT_EQ(replication.error(), "0A000");
}

TEST(ClientLogin, EncryptionIsAnswered) {
  Login plain(kTcp);
  EXPECT_EQ(plain.send(encryption_request(5679)), Action::kNeedMore);
  EXPECT_EQ(plain.send(encryption_request(5680)), Action::kNeedMore);
  EXPECT_EQ(plain.answer, "NN");
  plain.answer.clear();
  EXPECT_EQ(plain.log_in({{"user", "acme"}}), Action::kAdmitted);
  Login offered(kTcp, ClientLoginFsm::Tls::kOffered);
  EXPECT_EQ(offered.send(encryption_request(5679)), Action::kStartTls);
  EXPECT_EQ(offered.answer, "S");
  Login required(kTcp, ClientLoginFsm::Tls::kRequired);
  EXPECT_EQ(required.log_in({{"user", "acme"}}), Action::kClose);
}

TEST(ClientLogin, NothingMayComeWithTheRequestForEncryption) {
  Login login(kTcp, ClientLoginFsm::Tls::kOffered);
  EXPECT_EQ(login.send(encryption_request(5679) + startup({{"user", "acme"}})), Action::kClose);
}

TEST(ClientLogin, CancelNeedsNoLogin) {
  std::string out;
  append_cancel_request(out, {11, 22});
  Login login(kTcp);
  EXPECT_EQ(login.send(out), Action::kCancel);
  EXPECT_EQ(login.fsm().cancel_request().pid, 11u);
}

TEST(ClientLogin, NewerMinorVersionIsNegotiated) {
  std::string packet = startup({{"user", "acme"}, {"_pq_.wish", "1"}});
  packet[7] = 2;  // 3.2
  Login login(kTcp);
  EXPECT_EQ(login.send(packet), Action::kNeedMore);
  const auto messages = take_messages(login.answer);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].type, 'v');
  EXPECT_EQ(messages[0].body, std::string("\0\0\0\0\0\0\0\1_pq_.wish\0", 18));
}

TEST(ClientLogin, RandomBytesNeverGetIn) {
  SeededRandom random(11);
  for (int round = 0; round < 2000; ++round) {
    Login login(kTcp);
    std::string bytes = random.below(2) == 0 ? startup({{"user", "acme"}}) : "";
    for (int i = 0; i < 4; ++i) {
      std::string body;
      for (uint64_t n = random.below(40); n > 0; --n) body += static_cast<char>(random.below(256));
      bytes += message('p', body);
    }
    EXPECT_NE(login.send(bytes), Action::kAdmitted);
  }
}

// --- What applications carry

TEST(TenantResolver, TakesContextsAndFromTrustedLoginsNames) {
  const auto resolve = [](LoginClass login_class, std::string_view value) {
    DirectoryTenantResolver resolver([] { return LoginAuthority{directory(), nullptr, kNow}; },
                                     login_class, "main");
    return resolver.resolve(value);
  };
  EXPECT_EQ(*resolve(LoginClass::kApplication, context(kAcme)), kAcme);
  EXPECT_EQ(*resolve(LoginClass::kApplication, context(kAcme, Audience::kAny)), kAcme);
  EXPECT_FALSE(resolve(LoginClass::kApplication, context(kAcme, Audience::kCache)));
  EXPECT_FALSE(resolve(LoginClass::kApplication, kAcme.value().to_string()));
  EXPECT_FALSE(resolve(LoginClass::kApplication, "acme"));
  EXPECT_EQ(*resolve(LoginClass::kAsserting, kAcme.value().to_string()), kAcme);
  EXPECT_EQ(*resolve(LoginClass::kAsserting, "acme"), kAcme);
  EXPECT_FALSE(resolve(LoginClass::kAsserting, "far"));   // of another cell
  EXPECT_FALSE(resolve(LoginClass::kAsserting, "gone"));  // suspended
  EXPECT_FALSE(resolve(LoginClass::kAsserting, "nobody"));
  EXPECT_EQ(resolve(LoginClass::kApplication, context(kAcme, Audience::kSql, seconds(61)))
                .error()
                .sqlstate,
            "28000");
}

// --- The door's own logins

class ServerLoginTest : public ::testing::Test {
 protected:
  ServerLoginTest() {
    std::string out;
    login_.start(out);
    EXPECT_TRUE(read_startup_packet(out));
  }
  Result<bool> receive(std::string_view bytes) {
    out_.clear();
    return login_.receive(bytes, out_);
  }
  static std::string authentication(uint32_t kind, std::string_view rest = {}) {
    std::string out;
    MessageWriter(out, 'R').u32(kind).bytes(rest);
    return out;
  }
  static std::string row(const std::vector<std::optional<std::string>>& values) {
    std::string out;
    {
      MessageWriter writer(out, 'D');
      writer.u16(static_cast<uint16_t>(values.size()));
      for (const auto& value : values) {
        writer.u32(value ? static_cast<uint32_t>(value->size()) : 0xffffffff);
        if (value) writer.bytes(*value);
      }
    }
    return out;
  }
  static std::string ready() {
    std::string out;
    append_ready_for_query(out, TransactionStatus::kIdle);
    return out;
  }
  void authenticate() {
    ASSERT_TRUE(receive(authentication(10, "SCRAM-SHA-256\0\0"s)));
    auto messages = take_messages(out_);
    FieldReader first(messages.at(0).body);
    first.c_string();
    first.u32();
    ScramServerFsm server(*make_scram_verifier(kPassword, "0123456789abcdef"), {},
                          "server-nonce-of-the-test");
    const auto challenge = server.respond_to_first("SCRAM-SHA-256", first.rest());
    ASSERT_TRUE(receive(authentication(11, *challenge)));
    messages = take_messages(out_);
    const auto proof = server.respond_to_final(messages.at(0).body);
    ASSERT_TRUE(proof);
    ASSERT_TRUE(receive(authentication(12, *proof)));
    std::string key;
    append_backend_key_data(key, 77, 88);
    std::string status;
    append_parameter_status(status, "TimeZone", "UTC");
    ASSERT_TRUE(receive(authentication(0) + status + key + ready()));
  }

  SeededRandom random_{3};
  ServerLoginFsm login_{{.role = "slot_001",
                         .database = "shop",
                         .password = Secret(std::string(kPassword)),
                         .parameters = {}},
                        std::nullopt,
                        random_};
  std::string out_;
};

TEST_F(ServerLoginTest, LogsInAndLooksUpWhatItNeeds) {
  authenticate();
  EXPECT_EQ(take_messages(out_).at(0).type, 'Q');
  const auto done = receive(message('T', "x") + row({"4711", "f", std::nullopt}) +
                            message('C', "SELECT 1\0"s) + ready());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(*done);
  EXPECT_TRUE(login_.keys());
  const ServerInfo info = login_.take_info();
  EXPECT_EQ(info.key.pid, 77u);
  EXPECT_EQ(info.enter_oid, 4711u);
  EXPECT_TRUE(info.statement_names_are_private);
  EXPECT_EQ(*info.reported.find("TimeZone"), "UTC");
}

TEST_F(ServerLoginTest, DatabaseWithoutRegisterIsRefused) {
  authenticate();
  const auto done = receive(row({std::nullopt, "t", std::nullopt}) + ready());
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("schema protect"), std::string::npos);
}

TEST_F(ServerLoginTest, TamperedRoleIsHealedAndNotUsed) {
  authenticate();
  const std::string healing =
      "ALTER ROLE SESSION_USER RESET ALL; ALTER ROLE SESSION_USER IN DATABASE \"other\" RESET ALL";
  ASSERT_TRUE(receive(row({"4711", "f", healing}) + ready()));
  EXPECT_EQ(take_messages(out_).at(0).text(), healing);
  const auto done = receive(message('C', "ALTER ROLE\0"s) + ready());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kLimit);
}

// A tenant may give its slot role any verifier; deriving keys for it would hold up all others.
TEST_F(ServerLoginTest, VerifierThatIsDearToCheckIsRefusedAtOnce) {
  ASSERT_TRUE(receive(authentication(10, "SCRAM-SHA-256\0\0"s)));
  const auto messages = take_messages(out_);
  FieldReader first(messages.at(0).body);
  first.c_string();
  first.u32();
  const std::string_view sent = first.rest();
  const std::string nonce(sent.substr(sent.find("r=") + 2));
  const auto done =
      receive(authentication(11, "r=" + nonce + "server,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=1000000"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kDenied);
}

TEST_F(ServerLoginTest, ServerThatDoesNotKnowThePasswordIsRefused) {
  ASSERT_TRUE(receive(authentication(10, "SCRAM-SHA-256\0\0"s)));
  const auto done = receive(authentication(0));
  ASSERT_FALSE(done);
}

TEST_F(ServerLoginTest, UnsafeMethodsAreRefused) {
  for (const uint32_t kind : {3U, 5U, 7U, 99U}) {
    ServerLoginFsm login(
        {.role = "slot_001", .database = "shop", .password = Secret("x"), .parameters = {}},
        std::nullopt, random_);
    const std::string bytes = authentication(kind, "salt");
    std::string_view input = bytes;
    EXPECT_FALSE(login.receive(input, out_)) << kind;
  }
}

TEST_F(ServerLoginTest, ErrorsAreToldApart) {
  const auto kind_of = [&](std::string_view sqlstate) {
    ServerLoginFsm login(
        {.role = "slot_001", .database = "shop", .password = Secret("x"), .parameters = {}},
        std::nullopt, random_);
    std::string bytes;
    append_error(bytes, {sqlstate, "why", "", Severity::kFatal});
    std::string_view input = bytes;
    return login.receive(input, out_).error().kind;
  };
  EXPECT_EQ(kind_of("28P01"), ErrorKind::kDenied);
  EXPECT_EQ(kind_of("53300"), ErrorKind::kLimit);
  EXPECT_EQ(kind_of("57P03"), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace partywall::sql
