#include "migrate/copy/migration_lock.h"

#include <fmt/format.h>

namespace partywall::migrate {
namespace {

using postgres::Connection;

// What is locked beside tenants, whose names are UUIDs.
constexpr const char* kSchemaLock = "schema";

// $1: what is locked.
constexpr const char* kTry =
    "SELECT pg_try_advisory_lock(hashtext('partywall_migration'), hashtext($1))";

// pg_locks shows both numbers of a lock as oid; 2: there are two.
constexpr const char* kHolders = R"(
SELECT string_agg(format('process %s of user %s', l.pid, coalesce(a.usename, 'unknown')), ', ' ORDER BY l.pid)
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = hashtext('partywall_migration')::oid AND l.objid = hashtext($1)::oid)";

Result<std::string> holders(Connection& target, const std::string& what) {
  const auto rows = target.execute(kHolders, {what});
  if (!rows) return fail_with_context("asking who holds a lock", rows.error());
  return rows->is_null(0) ? "a process that has ended" : std::string(rows->text(0));
}

}  // namespace

Result<> lock_tenant(Connection& target, const Uuid& tenant) {
  const std::string name = tenant.to_string();
  const auto locked = target.execute(kTry, {name});
  if (!locked) return fail_with_context("locking the migration", locked.error());
  if (locked->is_true(0)) return {};
  const auto who = holders(target, name);
  if (!who) return std::unexpected(who.error());
  return fail(ErrorKind::kConflict,
              "tenant {} is being migrated by another process, or its lock was taken by somebody "
              "else ({}): wait for it, or end it",
              name, *who);
}

std::string lock_schema_statement() {
  return fmt::format(
      "SET LOCAL lock_timeout = '10s'; "
      "SELECT pg_advisory_xact_lock(hashtext('partywall_migration'), hashtext('{}'));",
      kSchemaLock);
}

Result<std::string> schema_lock_holders(Connection& target) { return holders(target, kSchemaLock); }

}  // namespace partywall::migrate
