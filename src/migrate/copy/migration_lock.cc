#include "migrate/copy/migration_lock.h"

#include <fmt/format.h>

#include "migrate/copy/progress.h"
#include "migrate/copy/progress_query.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Transaction;

// A tenant who may create schemas could make this one first, with triggers of its own in it, which
// the user who migrates would carry out. pg_has_role alone says yes to every superuser.
constexpr const char* kOwner = R"(
SELECT quote_ident(r.rolname), current_user,
  pg_has_role(r.oid, 'USAGE') AND (r.rolname = current_user OR r.rolsuper OR r.rolbypassrls)
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'partywall_migration')";

// All modes that keep another one from it.
constexpr const char* kSchemaHolders = R"(
SELECT string_agg(DISTINCT format('process %s of user %s', l.pid, coalesce(a.usename, 'unknown')), ', ')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation = to_regclass('partywall_migration.migration')
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'))";

// The row is locked until the transaction's end, so that two cannot both find it free.
constexpr const char* kClaim = R"(
INSERT INTO partywall_migration.holder AS h (tenant, pid, role, process_start) VALUES ($1, 0, '', 'epoch')
ON CONFLICT (tenant) DO UPDATE SET pid = h.pid)";

// A process that has ended leaves its note, and its number may be another one's by now. When a
// process began can be seen of one's own role.
constexpr const char* kHolder = R"(
SELECT h.pid, h.role FROM partywall_migration.holder h JOIN pg_stat_activity a ON a.pid = h.pid
WHERE h.tenant = $1 AND h.pid <> pg_backend_pid() AND a.usename = h.role
  AND coalesce(a.backend_start = h.process_start, true))";

constexpr const char* kTake = R"(
UPDATE partywall_migration.holder h SET pid = a.pid, role = a.usename, process_start = a.backend_start
FROM pg_stat_activity a WHERE h.tenant = $1 AND a.pid = pg_backend_pid())";

// Whether there is a table to note it in; it is made if it can be.
Result<bool> prepare(Connection& target) {
  const auto own = has_own_schema(target);
  if (!own) return std::unexpected(own.error());
  const auto found = ask(target,
                         "SELECT to_regclass('partywall_migration.holder') IS NOT NULL, "
                         "has_database_privilege(current_database(), 'CREATE')");
  if (!found) return std::unexpected(found.error());
  if (found->is_true(0, 0)) return true;
  if (!*own && !found->is_true(0, 1)) return false;
  if (auto made = create_progress_schema(target); !made) return std::unexpected(made.error());
  return true;
}

}  // namespace

Result<bool> has_own_schema(Connection& target) {
  const auto owner = ask(target, kOwner);
  if (!owner) return std::unexpected(owner.error());
  if (owner->empty() || owner->is_true(0, 2)) return !owner->empty();
  return fail(
      ErrorKind::kInvalid,
      "the target's schema partywall_migration belongs to role {}: it has to belong to user "
      "{}, or to a role with BYPASSRLS whose rights this user has. Find out who made it, "
      "then drop it, or connect as its owner",
      owner->text(0, 0), owner->text(0, 1));
}

Result<> lock_tenant(Connection& target, const Uuid& tenant) {
  const auto prepared = prepare(target);
  if (!prepared) return std::unexpected(prepared.error());
  if (!*prepared) return {};
  const std::string name = tenant.to_string();
  auto transaction = Transaction::begin(target, "READ WRITE");
  if (!transaction) return fail_with_context("locking the migration", transaction.error());
  if (auto claimed = tell(target, kClaim, name); !claimed) return claimed;
  const auto holder = ask(target, kHolder, name);
  if (!holder) return std::unexpected(holder.error());
  if (!holder->empty()) {
    return fail(ErrorKind::kConflict,
                "tenant {} is being migrated by another process (process {} of user {}): wait for "
                "it, or end it",
                name, holder->text(0, 0), holder->text(0, 1));
  }
  if (auto taken = tell(target, kTake, name); !taken) return taken;
  if (auto committed = transaction->commit(); !committed)
    return fail_with_context("locking the migration", committed.error());
  return {};
}

std::string lock_schema_statement() {
  return R"(SET LOCAL lock_timeout = '10s';
DO $$ BEGIN
  IF pg_catalog.to_regclass('partywall_migration.migration') IS NOT NULL THEN
    LOCK TABLE partywall_migration.migration IN SHARE UPDATE EXCLUSIVE MODE;
  END IF;
END $$;)";
}

Result<std::string> schema_lock_holders(Connection& target) {
  const auto rows = ask(target, kSchemaHolders);
  if (!rows) return std::unexpected(rows.error());
  return rows->is_null(0) ? "a process that has ended" : std::string(rows->text(0));
}

}  // namespace partywall::migrate
