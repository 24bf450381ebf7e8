#include "engines/postgres.h"

#include <gtest/gtest.h>

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
