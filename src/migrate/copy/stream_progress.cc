#include "migrate/copy/stream_progress.h"

#include "migrate/copy/progress.h"
#include "migrate/copy/progress_query.h"
#include "migrate/schema/qualified_name.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Rows;
using postgres::Transaction;

Result<std::optional<Lsn>> lsn_at(const Rows& rows, size_t column) {
  if (rows.is_null(0, column)) return std::nullopt;
  auto lsn = parse_lsn(rows.text(0, column));
  if (!lsn) return std::unexpected(lsn.error());
  return *lsn;
}

std::optional<double> number_at(const Rows& rows, size_t column) {
  if (rows.is_null(0, column)) return std::nullopt;
  return std::stod(std::string(rows.text(0, column)));
}

// Migrations of an earlier version have made the schema without it.
Result<bool> has_tables(Connection& target) {
  const auto there = ask(target,
                         "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN "
                         "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
                         "'partywall_migration' AND c.relname = 'stream_relation')");
  if (!there) return std::unexpected(there.error());
  return there->is_true(0);
}

Result<> delete_relation_begins(Connection& target, const Uuid& tenant) {
  return tell(target, "DELETE FROM partywall_migration.stream_relation WHERE tenant = $1",
              tenant.to_string());
}

}  // namespace

Result<> note_stream_begins(Connection& target, const Uuid& tenant, Lsn place) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto deleted = delete_relation_begins(target, tenant); !deleted) return deleted;
  auto noted = tell(target, "UPDATE partywall_migration.stream SET begins = $2 WHERE tenant = $1",
                    tenant.to_string(), to_string(place));
  if (!noted) return noted;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<> forget_beginnings(Connection& target, const Uuid& tenant) {
  const auto migration = read_migration(target, tenant);
  if (!migration) return std::unexpected(migration.error());
  if (!*migration || !(*migration)->is_online) return {};
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto deleted = delete_relation_begins(target, tenant); !deleted) return deleted;
  auto noted = tell(target, "UPDATE partywall_migration.stream SET begins = NULL WHERE tenant = $1",
                    tenant.to_string());
  if (!noted) return noted;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<> note_stream_applied(Connection& target, const Uuid& tenant, Lsn applied, Lsn source,
                             double lag_ms) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto set = tell(target, "SET LOCAL synchronous_commit = off"); !set) return set;
  auto noted = tell(target,
                    "UPDATE partywall_migration.stream SET applied = $2, source = $3, lag_ms = $4, "
                    "noted_at = now() WHERE tenant = $1 AND (applied, source) IS DISTINCT FROM "
                    "($2::pg_lsn, $3::pg_lsn)",
                    tenant.to_string(), to_string(applied), to_string(source), lag_ms);
  if (!noted) return noted;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<> note_stream_verified(Connection& target, const Uuid& tenant, Lsn place, double held_ms) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  auto noted = tell(target,
                    "UPDATE partywall_migration.stream SET verified = $2, verified_at = now(), "
                    "held_ms = $3 WHERE tenant = $1",
                    tenant.to_string(), to_string(place), held_ms);
  if (!noted) return noted;
  if (auto state = set_state(target, tenant, MigrationState::kVerified); !state) return state;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<std::optional<StreamNote>> read_stream_note(Connection& target, const Uuid& tenant) {
  const auto there = has_tables(target);
  if (!there) return std::unexpected(there.error());
  if (!*there) return std::nullopt;
  const auto rows = ask(target,
                        "SELECT begins, applied, source, lag_ms, date_trunc('second', "
                        "noted_at)::text, verified, date_trunc('second', verified_at)::text, "
                        "held_ms FROM partywall_migration.stream WHERE tenant = $1",
                        tenant.to_string());
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  StreamNote note;
  for (const auto& [column, lsn] : {std::pair(0, &note.begins), std::pair(1, &note.applied),
                                    std::pair(2, &note.source), std::pair(5, &note.verified)}) {
    auto read = lsn_at(*rows, static_cast<size_t>(column));
    if (!read) return std::unexpected(read.error());
    *lsn = *read;
  }
  note.lag_ms = number_at(*rows, 3);
  note.noted_at = rows->text(0, 4);
  note.verified_at = rows->text(0, 6);
  note.held_ms = number_at(*rows, 7);
  return note;
}

Result<> note_relation_begins(Connection& target, const Uuid& tenant, const std::string& relation,
                              Lsn place) {
  return tell(target,
              "INSERT INTO partywall_migration.stream_relation (tenant, relation, begins) VALUES "
              "($1, $2, $3) ON CONFLICT (tenant, relation) DO UPDATE SET begins = excluded.begins",
              tenant.to_string(), relation, to_string(place));
}

Result<> delete_relation_begins(Connection& target, const Uuid& tenant,
                                const std::string& relation) {
  return tell(target,
              "DELETE FROM partywall_migration.stream_relation WHERE tenant = $1 AND relation = $2",
              tenant.to_string(), relation);
}

// Places of another source's log, or of a stream that was given up, say nothing of this one.
Result<TableBeginnings> read_beginnings_so_far(Connection& target, const Uuid& tenant,
                                               const DatabaseIdentity& source) {
  const auto there = has_tables(target);
  if (!there) return std::unexpected(there.error());
  if (!*there) return TableBeginnings{};
  // The name may have changed since.
  const auto rows =
      ask(target,
          "SELECT r.relation, r.begins FROM partywall_migration.stream_relation r JOIN "
          "partywall_migration.stream s USING (tenant) JOIN partywall_migration.migration m USING "
          "(tenant) WHERE tenant = $1 AND s.begins IS NOT NULL AND m.source LIKE $2",
          tenant.to_string(), source.system + "/%/" + source.oid);
  if (!rows) return std::unexpected(rows.error());
  TableBeginnings begins;
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto name = qualified_name(rows->text(i, 0));
    const auto place = parse_lsn(rows->text(i, 1));
    if (!place) return std::unexpected(place.error());
    begins.emplace(std::pair(name.schema, name.name), *place);
  }
  return begins;
}

Result<TableBeginnings> read_beginnings(Connection& target, const Uuid& tenant,
                                        const DatabaseIdentity& source) {
  const auto migration = read_migration(target, tenant);
  if (!migration) return std::unexpected(migration.error());
  if (*migration && (*migration)->is_online && (*migration)->state == MigrationState::kCopying) {
    return fail(
        ErrorKind::kConflict,
        "the rows of tenant {} are being copied, and their changes must wait until they are "
        "there: partywall migrate run --online copies the rest and follows them",
        (*migration)->slug);
  }
  return read_beginnings_so_far(target, tenant, source);
}

}  // namespace partywall::migrate
