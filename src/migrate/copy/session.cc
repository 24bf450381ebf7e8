#include "migrate/copy/session.h"

#include <fmt/ranges.h>

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

// A holder that is gone is forgotten.
bool Snapshot::still_held() {
  if (holder_ && !holder_->execute("SELECT 1")) holder_.reset();
  return holder_.has_value();
}

Result<> Snapshot::connect() {
  const std::lock_guard lock(mutex_);
  auto connection = open_session(connection_string_);
  if (!connection) return std::unexpected(connection.error());
  holder_ = *std::move(connection);
  return {};
}

// The holder's transaction, with the picture that is exported elsewhere, or with one of now.
Result<> Snapshot::begin(const std::string& exported) {
  if (auto begun = holder_->execute(kOnePicture); !begun) return std::unexpected(begun.error());
  if (!exported.empty()) {
    const auto seen =
        holder_->execute("SET TRANSACTION SNAPSHOT " + postgres::quote_literal(exported));
    if (!seen) return std::unexpected(seen.error());
  }
  const auto name = holder_->execute("SELECT pg_export_snapshot()");
  if (!name) return std::unexpected(name.error());
  name_ = name->text(0);
  ++taken_;
  return {};
}

Result<> Snapshot::take() {
  const std::lock_guard lock(mutex_);
  return begin("");
}

Result<> Snapshot::adopt(const std::string& exported) {
  const std::lock_guard lock(mutex_);
  return begin(exported);
}

Result<> Snapshot::lock(const std::vector<std::string>& relations) {
  const std::lock_guard lock(mutex_);
  const auto locked = holder_->execute(
      fmt::format("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", fmt::join(relations, ", ONLY ")));
  if (!locked) return std::unexpected(locked.error());
  return {};
}

bool Snapshot::is_lost() {
  const std::lock_guard lock(mutex_);
  return taken_ > 0 && !still_held();
}

Result<> Snapshot::ensure_held() {
  if (still_held()) return {};
  if (when_lost_ == WhenLost::kFail)
    return fail(ErrorKind::kConflict, "the connection that held the snapshot is lost");
  auto connection = open_session(connection_string_);
  if (!connection) return std::unexpected(connection.error());
  holder_ = *std::move(connection);
  if (auto begun = begin(""); !begun) {
    holder_.reset();
    return begun;
  }
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
