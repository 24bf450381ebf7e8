#include "migrate/copy/session.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

constexpr std::string_view kSettings = R"(
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET xmloption = 'content';
SET search_path = pg_catalog;
SET row_security = off;
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0)";

constexpr const char* kOnePicture = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

}  // namespace

Result<Connection> open_session(const std::string& connection_string) {
  auto connection = Connection::open(connection_string);
  if (!connection) return std::unexpected(connection.error());
  if (auto set = connection->execute_script(std::string(kSettings)); !set)
    return fail_with_context("preparing a connection", set.error());
  return *std::move(connection);
}

Result<Connection> open_loader(const std::string& connection_string) {
  auto connection = open_session(connection_string);
  if (!connection) return connection;
  if (auto set = connection->execute("SET session_replication_role = replica"); !set) {
    return fail_with_context(
        "loading without foreign keys and triggers (the role needs GRANT SET ON PARAMETER "
        "session_replication_role)",
        set.error());
  }
  return connection;
}

Result<> Snapshot::ensure_held() {
  if (holder_ && holder_->execute("SELECT 1")) return {};
  holder_.reset();
  auto connection = open_session(connection_string_);
  if (!connection) return std::unexpected(connection.error());
  if (auto begun = connection->execute(kOnePicture); !begun) return std::unexpected(begun.error());
  const auto exported = connection->execute("SELECT pg_export_snapshot()");
  if (!exported) return std::unexpected(exported.error());
  name_ = exported->text(0);
  holder_ = *std::move(connection);
  ++taken_;
  return {};
}

Result<Connection> Snapshot::join() {
  const std::lock_guard lock(mutex_);
  if (auto held = ensure_held(); !held) return std::unexpected(held.error());
  auto connection = open_session(connection_string_);
  if (!connection) return connection;
  if (auto begun = connection->execute(kOnePicture); !begun) return std::unexpected(begun.error());
  if (auto seen = connection->execute("SET TRANSACTION SNAPSHOT " + postgres::quote_literal(name_));
      !seen) {
    // Its holder has gone just now.
    holder_.reset();
    return fail(ErrorKind::kUnavailable, "the snapshot is lost: {}", seen.error().message);
  }
  return connection;
}

size_t Snapshot::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

}  // namespace partywall::migrate
