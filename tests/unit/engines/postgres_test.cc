#include "engines/postgres.h"

#include <algorithm>
#include <cstdlib>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engines/postgres_raw.h"

namespace partywall::postgres {
namespace {

TEST(PostgresQuoting, IdentifiersAreOneNameWhateverTheyHold) {
  EXPECT_EQ(quote_identifier("orders"), "\"orders\"");
  EXPECT_EQ(quote_identifier("Order Details"), "\"Order Details\"");
  EXPECT_EQ(quote_identifier("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
}

TEST(PostgresQuoting, LiteralsMeanTheSameUnderBothSettingsOfBackslashes) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\'; b"), " E'a\\\\''; b'");
  EXPECT_EQ(quote_literal(""), "''");
}

TEST(PostgresError, TellsWhatKindOfFailureItIs) {
  EXPECT_EQ(kind_of_sqlstate("28P01"), ErrorKind::kDenied);
  EXPECT_EQ(kind_of_sqlstate("42501"), ErrorKind::kDenied);
  EXPECT_EQ(kind_of_sqlstate("53300"), ErrorKind::kLimit);
  EXPECT_EQ(kind_of_sqlstate("57014"), ErrorKind::kTimeout);
  EXPECT_EQ(kind_of_sqlstate("57P01"), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of_sqlstate("08006"), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of_sqlstate("42P01"), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of_sqlstate("23505"), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_sqlstate("XX000"), ErrorKind::kInternal);
}

TEST(PostgresError, PassesAsAnErrorOfOtherLayers) {
  const auto deeper = []() -> PostgresResult<int> {
    return std::unexpected(PostgresError(ErrorKind::kDenied, "no", "28P01"));
  };
  const auto outer = [&]() -> Result<int> {
    auto value = deeper();
    if (!value) return std::unexpected(value.error());
    return *value;
  };
  EXPECT_EQ(outer().error().kind, ErrorKind::kDenied);
  EXPECT_EQ(outer().error().message, "no");
}

std::string value_of(const Parameters& parameters, std::string_view name) {
  std::string last;
  for (const auto& [key, value] : parameters) {
    if (key == name) last = value;
  }
  return last;
}

// libpq lets the later win, and takes "dbname" apart where it stands.
TEST(PostgresParameters, DefaultsAreBeforeTheConnectionStringAndOursBehindIt) {
  const Parameters parameters = parameters_of("host=a connect_timeout=2", {{"replication", "1"}});
  const auto at = [&](std::string_view name) {
    return std::ranges::find(parameters, name, [](const auto& one) { return one.first; }) -
           parameters.begin();
  };
  for (const auto* name : {"connect_timeout", "keepalives_idle", "tcp_user_timeout"})
    EXPECT_LT(at(name), at("dbname")) << name;
  EXPECT_GT(at("replication"), at("dbname"));
  EXPECT_LT(at("replication"), std::ssize(parameters));
}

TEST(PostgresParameters, OptionsOfTheUserAreKept) {
  const Parameters ours{{"options", "-c timezone=UTC"}};
  const auto options = [&](const std::string& text) {
    return value_of(parameters_of(text, ours), "options");
  };
  EXPECT_EQ(options("host=a options='-c geqo=off'"), "-c geqo=off -c timezone=UTC");
  EXPECT_EQ(options("postgresql://a/b?options=-c%20geqo%3Doff"), "-c geqo=off -c timezone=UTC");
  EXPECT_EQ(options("shop"), "-c timezone=UTC");
  ::setenv("PGOPTIONS", "-c jit=off", 1);
  EXPECT_EQ(options("host=a"), "-c jit=off -c timezone=UTC");
  EXPECT_EQ(options("host=a options='-c geqo=off'"), "-c geqo=off -c timezone=UTC");
  ::unsetenv("PGOPTIONS");
}

// A server that takes the connection and says nothing.
TEST(PostgresConnection, ASilentServerIsGivenUp) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const auto connection =
      Connection::open("hostaddr=127.0.0.1 port=" + std::to_string(ntohs(address.sin_port)) +
                       " user=u password=p dbname=d connect_timeout=2");
  ::close(listener);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(connection.error().message.find("timeout"), std::string::npos);
}

TEST(PostgresConnection, AnUnreachableServerIsAValue) {
  const auto connection =
      Connection::open(ConnectionSettings{.endpoint = {"/nowhere/.s.PGSQL.1", 0},
                                          .database = "d",
                                          .user = "u",
                                          .password = Secret("p"),
                                          .tls_root_certificate = ""});
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(connection.error().message.find("/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace partywall::postgres
