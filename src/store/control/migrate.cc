#include "store/control/migrate.h"

#include "store/control/migrations.h"

namespace partywall::store {
namespace {

constexpr int kLeastServerVersion = 150000;
// Any number that is always the same.
constexpr const char* kLock = "SELECT pg_advisory_lock(7298346123)";
constexpr const char* kUnlock = "SELECT pg_advisory_unlock(7298346123)";

constexpr const char* kFindMigrations =
    "SELECT to_regnamespace('partywall') IS NOT NULL, "
    "to_regclass('partywall.migrations') IS NOT NULL";
constexpr const char* kMakeSchema =
    "CREATE SCHEMA partywall; "
    "COMMENT ON SCHEMA partywall IS 'Partywall control store'; "
    "CREATE TABLE partywall.migrations (number integer PRIMARY KEY, name text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now(), applied_by text NOT NULL DEFAULT session_user)";

std::unexpected<Error> failed(const postgres::PostgresError& error) {
  return std::unexpected(Error{error.kind, error.message});
}

std::unexpected<Error> newer(const SchemaStatus& status) {
  return fail(ErrorKind::kInvalid,
              "the schema is at migration {}, newer than this release knows ({}): use the release "
              "that made it, or a later one",
              status.installed, status.known);
}

Result<> apply(postgres::Connection& connection, const Migration& migration) {
  auto transaction = postgres::Transaction::begin(connection);
  if (!transaction) return failed(transaction.error());
  const auto applied = connection.execute_script(std::string(migration.sql));
  if (!applied) {
    return fail_with_context(fmt::format("migration {} ({})", migration.number, migration.name),
                             applied.error());
  }
  const auto noted =
      connection.execute("INSERT INTO partywall.migrations (number, name) VALUES ($1::int, $2)",
                         {std::to_string(migration.number), std::string(migration.name)});
  if (!noted) return failed(noted.error());
  if (auto committed = transaction->commit(); !committed) return failed(committed.error());
  return {};
}

Result<std::vector<int>> apply_missing(postgres::Connection& connection) {
  const auto status = schema_status(connection);
  if (!status) return std::unexpected(status.error());
  if (status->installed > status->known) return newer(*status);
  const auto found = connection.execute(kFindMigrations);
  if (!found) return failed(found.error());
  if (!found->is_true(0, 0)) {
    if (auto made = connection.execute_script(kMakeSchema); !made) return failed(made.error());
  }
  std::vector<int> applied;
  for (const Migration& migration : migrations()) {
    if (migration.number <= status->installed) continue;
    if (auto done = apply(connection, migration); !done) return std::unexpected(done.error());
    applied.push_back(migration.number);
  }
  return applied;
}

}  // namespace

Result<SchemaStatus> schema_status(postgres::Connection& connection) {
  SchemaStatus status{.known = migrations().back().number};
  const auto found = connection.execute(kFindMigrations);
  if (!found) return failed(found.error());
  if (!found->is_true(0, 0)) return status;
  if (!found->is_true(0, 1)) {
    return fail(ErrorKind::kConflict,
                "database \"{}\" has a schema partywall that is not the control store's, such as "
                "the tenant register of a cell; give the control store a database of its own",
                connection.database());
  }
  const auto last = connection.execute("SELECT coalesce(max(number), 0) FROM partywall.migrations");
  if (!last) return failed(last.error());
  status.installed = static_cast<int>(last->number(0));
  return status;
}

Result<std::vector<int>> migrate(postgres::Connection& connection) {
  if (connection.server_version() < kLeastServerVersion) {
    return fail(ErrorKind::kInvalid, "PostgreSQL 15 or newer is needed, this is {}",
                connection.server_version() / 10'000);
  }
  if (auto locked = connection.execute(kLock); !locked) return failed(locked.error());
  auto applied = apply_missing(connection);
  (void)connection.execute(kUnlock);  // a connection that is lost gives it back by itself
  return applied;
}

Result<> check_schema(postgres::Connection& connection) {
  const auto status = schema_status(connection);
  if (!status) return std::unexpected(status.error());
  if (status->installed > status->known) return newer(*status);
  if (status->installed < status->known) {
    return fail(ErrorKind::kInvalid,
                "the schema in database \"{}\" is at migration {} of {}: run `partywall store "
                "migrate`",
                connection.database(), status->installed, status->known);
  }
  return {};
}

Result<> close_database(postgres::Connection& connection) {
  const auto closed = connection.execute(fmt::format(
      "REVOKE ALL ON DATABASE {} FROM PUBLIC", postgres::quote_identifier(connection.database())));
  if (!closed) return failed(closed.error());
  return {};
}

Result<> grant_node_role(postgres::Connection& connection, std::string_view role) {
  const std::string name = postgres::quote_identifier(role);
  const auto granted = connection.execute_script(fmt::format(
      "GRANT CONNECT ON DATABASE {1} TO {0}; GRANT USAGE ON SCHEMA partywall TO {0}; "
      "GRANT SELECT ON partywall.migrations, partywall.head, partywall.changes, partywall.tiers, "
      "partywall.cells, partywall.tenants, partywall.placements, partywall.overrides, "
      "partywall.routes, partywall.issuers, partywall.context_keys, partywall.sql_logins, "
      "partywall.cache_logins TO {0}; "
      "GRANT SELECT, INSERT, UPDATE, DELETE ON partywall.nodes TO {0}",
      name, postgres::quote_identifier(connection.database())));
  if (!granted) return failed(granted.error());
  return {};
}

}  // namespace partywall::store
