#include "migrate/copy/progress.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "migrate/copy/migration_lock.h"
#include "migrate/copy/progress_query.h"
#include "migrate/copy/stream_progress.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Transaction;

constexpr std::array kStates{MigrationState::kCopying, MigrationState::kCopied,
                             MigrationState::kCatchingUp, MigrationState::kVerified};

constexpr std::string_view kLockNotAvailable = "55P03";
// unique_violation (of a catalog), duplicate_schema, duplicate_table: another one made it.
constexpr std::array<std::string_view, 3> kMadeMeanwhile{"23505", "42P06", "42P07"};
constexpr uint32_t kMaxAttempts = 5;

// Without foreign keys: a session that loads carries none out. Default privileges may have given
// rights on it to others: the schema is closed to all but its owner.
constexpr std::string_view kProgressSchema = R"(
CREATE SCHEMA IF NOT EXISTS partywall_migration;
CREATE TABLE IF NOT EXISTS partywall_migration.migration (
  tenant uuid PRIMARY KEY,
  slug text NOT NULL,
  source text NOT NULL,
  fingerprint text NOT NULL,
  tenant_column text NOT NULL,
  state text NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS partywall_migration.relation (
  tenant uuid NOT NULL,
  relation text NOT NULL,
  place integer NOT NULL,
  format text NOT NULL,
  filenode bigint NOT NULL,
  blocks bigint NOT NULL,
  PRIMARY KEY (tenant, relation));
CREATE TABLE IF NOT EXISTS partywall_migration.chunk (
  tenant uuid NOT NULL,
  relation text NOT NULL,
  number integer NOT NULL,
  first_block bigint NOT NULL,
  end_block bigint NOT NULL,
  done_at timestamptz,
  rows bigint NOT NULL DEFAULT 0,
  row_hash bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, relation, number));
CREATE TABLE IF NOT EXISTS partywall_migration.stream (
  tenant uuid PRIMARY KEY,
  begins pg_lsn,
  applied pg_lsn,
  source pg_lsn,
  lag_ms double precision,
  noted_at timestamptz,
  verified pg_lsn,
  verified_at timestamptz,
  held_ms double precision);
CREATE TABLE IF NOT EXISTS partywall_migration.stream_relation (
  tenant uuid NOT NULL,
  relation text NOT NULL,
  begins pg_lsn NOT NULL,
  PRIMARY KEY (tenant, relation));
CREATE TABLE IF NOT EXISTS partywall_migration.holder (
  tenant uuid PRIMARY KEY,
  pid integer NOT NULL,
  role name NOT NULL,
  process_start timestamptz NOT NULL);
REVOKE ALL ON ALL TABLES IN SCHEMA partywall_migration FROM PUBLIC;
DO $$
DECLARE other text;
BEGIN
  FOR other IN SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
      FROM pg_namespace n, aclexplode(n.nspacl) AS x WHERE n.nspname = 'partywall_migration' AND x.grantee <> n.nspowner
  LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA partywall_migration FROM %s CASCADE', other);
  END LOOP;
END $$)";

Result<MigrationState> parse_state(std::string_view text) {
  for (const MigrationState state : kStates) {
    if (to_string(state) == text) return state;
  }
  return fail(ErrorKind::kInvalid,
              "the migration's state is \"{}\", which this version does not know: use a newer one",
              text);
}

std::string format_name(const Relation& relation) {
  return relation.is_portable() ? "binary" : "text";
}

Result<> insert_chunks(Connection& target, const std::string& tenant, const Relation& relation,
                       uint64_t blocks_per_chunk) {
  for (const Chunk& chunk : plan_chunks(relation, blocks_per_chunk)) {
    auto added = tell(target,
                      "INSERT INTO partywall_migration.chunk (tenant, relation, number, "
                      "first_block, end_block) VALUES ($1, $2, $3, $4, $5)",
                      tenant, chunk.relation, chunk.number, chunk.first_block, chunk.end_block);
    if (!added) return added;
  }
  return {};
}

Result<> delete_rows(Connection& target, const MigrationRecord& migration,
                     const std::string& relation) {
  return tell(
      target,
      fmt::format("DELETE FROM ONLY {} WHERE {} = $1::uuid", relation, migration.tenant_column),
      migration.tenant.to_string());
}

// Waits for transactions that are copying one of them.
Result<> lock_chunks(Connection& target, const std::string& tenant, const std::string& relation) {
  return tell(target,
              "SELECT FROM partywall_migration.chunk WHERE tenant = $1 AND relation = $2 ORDER BY "
              "number FOR UPDATE",
              tenant, relation);
}

}  // namespace

std::string_view to_string(MigrationState state) {
  switch (state) {
    case MigrationState::kCopying:
      return "copying";
    case MigrationState::kCopied:
      return "copied";
    case MigrationState::kCatchingUp:
      return "catching_up";
    case MigrationState::kVerified:
      return "verified";
  }
  return "unknown";
}

Result<> create_progress_schema(Connection& target) {
  auto made = target.execute_script(lock_schema_statement() + std::string(kProgressSchema));
  for (uint32_t attempt = 1; !made && attempt < kMaxAttempts; ++attempt) {
    if (std::ranges::count(kMadeMeanwhile, made.error().sqlstate) == 0) break;
    made = target.execute_script(lock_schema_statement() + std::string(kProgressSchema));
  }
  if (!made && made.error().sqlstate == kLockNotAvailable) {
    const auto who = schema_lock_holders(target);
    if (!who) return std::unexpected(who.error());
    return fail(ErrorKind::kConflict,
                "the schema partywall_migration could not be locked to make it: {} holds the lock. "
                "End it if it is no migration, then run it again",
                *who);
  }
  if (!made) return fail_with_context("making the schema partywall_migration", made.error());
  // Somebody may have made it since it was looked for.
  if (auto own = has_own_schema(target); !own) return std::unexpected(own.error());
  return {};
}

Result<std::optional<MigrationRecord>> read_migration(Connection& target, const Uuid& tenant) {
  const auto own = has_own_schema(target);
  if (!own) return std::unexpected(own.error());
  if (!*own) return std::nullopt;
  const auto there = ask(target, "SELECT to_regclass('partywall_migration.chunk') IS NOT NULL");
  if (!there) return std::unexpected(there.error());
  if (!there->is_true(0)) return std::nullopt;
  const auto rows = ask(target,
                        "SELECT slug, source, fingerprint, tenant_column, state, "
                        "date_trunc('second', begun_at)::text, date_trunc('second', "
                        "changed_at)::text FROM partywall_migration.migration WHERE tenant = $1",
                        tenant.to_string());
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  const auto state = parse_state(rows->text(0, 4));
  if (!state) return std::unexpected(state.error());
  const auto stream = read_stream_note(target, tenant);
  if (!stream) return std::unexpected(stream.error());
  return MigrationRecord{.tenant = tenant,
                         .slug = std::string(rows->text(0, 0)),
                         .source = std::string(rows->text(0, 1)),
                         .fingerprint = std::string(rows->text(0, 2)),
                         .tenant_column = std::string(rows->text(0, 3)),
                         .state = *state,
                         .is_online = stream->has_value(),
                         .begun_at = std::string(rows->text(0, 5)),
                         .changed_at = std::string(rows->text(0, 6))};
}

Result<> begin_migration(Connection& target, const MigrationRecord& record,
                         const std::vector<Relation>& relations, uint64_t blocks_per_chunk) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  const std::string tenant = record.tenant.to_string();
  const auto added = ask(target,
                         "INSERT INTO partywall_migration.migration (tenant, slug, source, "
                         "fingerprint, tenant_column, state) VALUES ($1, $2, $3, $4, $5, $6) ON "
                         "CONFLICT DO NOTHING",
                         tenant, record.slug, record.source, record.fingerprint,
                         record.tenant_column, to_string(record.state));
  if (!added) return std::unexpected(added.error());
  if (added->affected() == 0)
    return fail(ErrorKind::kConflict, "tenant {} is being migrated already", record.slug);
  if (record.is_online) {
    auto noted =
        tell(target, "INSERT INTO partywall_migration.stream (tenant) VALUES ($1)", tenant);
    if (!noted) return noted;
  }
  for (size_t place = 0; place < relations.size(); ++place) {
    const Relation& relation = relations[place];
    auto noted = tell(target,
                      "INSERT INTO partywall_migration.relation (tenant, relation, place, format, "
                      "filenode, blocks) VALUES ($1, $2, $3, $4, $5, $6)",
                      tenant, relation.name, place, format_name(relation), relation.filenode,
                      relation.blocks);
    if (!noted) return noted;
    if (auto planned = insert_chunks(target, tenant, relation, blocks_per_chunk); !planned)
      return planned;
  }
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<> set_state(Connection& target, const Uuid& tenant, MigrationState state) {
  return tell(target,
              "UPDATE partywall_migration.migration SET state = $2, changed_at = now() WHERE "
              "tenant = $1 AND state <> $2",
              tenant.to_string(), to_string(state));
}

Result<std::vector<RelationProgress>> read_progress(Connection& target, const Uuid& tenant) {
  const auto rows = ask(target, R"(
SELECT r.relation, r.format, r.filenode, r.blocks, count(*), count(c.done_at), coalesce(sum(c.rows), 0)::bigint,
  mod(mod(sum(c.row_hash::numeric), 18446744073709551616) + 18446744073709551616, 18446744073709551616)::text,
  coalesce(sum(c.bytes), 0)::bigint
FROM partywall_migration.relation r JOIN partywall_migration.chunk c USING (tenant, relation)
WHERE tenant = $1 GROUP BY r.tenant, r.relation ORDER BY r.place)",
                        tenant.to_string());
  if (!rows) return std::unexpected(rows.error());
  std::vector<RelationProgress> progress;
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto hash = parse_unsigned(rows->text(i, 7));
    if (!hash) return std::unexpected(hash.error());
    progress.push_back({.relation = std::string(rows->text(i, 0)),
                        .format = std::string(rows->text(i, 1)),
                        .filenode = static_cast<uint32_t>(rows->number(i, 2)),
                        .blocks = static_cast<uint64_t>(rows->number(i, 3)),
                        .chunks = static_cast<uint32_t>(rows->number(i, 4)),
                        .chunks_done = static_cast<uint32_t>(rows->number(i, 5)),
                        .sum = {.rows = static_cast<uint64_t>(rows->number(i, 6)), .hash = *hash},
                        .bytes = static_cast<uint64_t>(rows->number(i, 8))});
  }
  return progress;
}

Result<std::vector<Chunk>> read_pending_chunks(Connection& target, const Uuid& tenant) {
  const auto rows = ask(target,
                        "SELECT relation, number, first_block, end_block FROM "
                        "partywall_migration.chunk JOIN partywall_migration.relation USING "
                        "(tenant, relation) WHERE tenant = $1 AND done_at IS NULL ORDER BY place, "
                        "number",
                        tenant.to_string());
  if (!rows) return std::unexpected(rows.error());
  std::vector<Chunk> chunks;
  for (size_t i = 0; i < rows->size(); ++i) {
    chunks.push_back({std::string(rows->text(i, 0)), static_cast<uint32_t>(rows->number(i, 1)),
                      static_cast<uint64_t>(rows->number(i, 2)),
                      static_cast<uint64_t>(rows->number(i, 3))});
  }
  return chunks;
}

Result<Claim> claim_chunk(Connection& target, const Uuid& tenant, const Chunk& chunk) {
  const auto rows =
      ask(target,
          "SELECT done_at IS NOT NULL FROM partywall_migration.chunk WHERE tenant = "
          "$1 AND relation = $2 AND number = $3 AND first_block = $4 AND end_block "
          "= $5 FOR UPDATE",
          tenant.to_string(), chunk.relation, chunk.number, chunk.first_block, chunk.end_block);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) {
    return fail(ErrorKind::kConflict,
                "the migration was discarded or begun anew by another process while this one was "
                "copying {}",
                chunk.relation);
  }
  return rows->is_true(0) ? Claim::kDone : Claim::kTaken;
}

Result<> note_chunk(Connection& target, const Uuid& tenant, const Chunk& chunk, const RowSum& sum,
                    uint64_t bytes) {
  // A bigint holds the same 64 bits with a sign.
  return tell(target,
              "UPDATE partywall_migration.chunk SET done_at = now(), rows = $4, row_hash = $5, "
              "bytes = $6 WHERE tenant = $1 AND relation = $2 AND number = $3",
              tenant.to_string(), chunk.relation, chunk.number, sum.rows,
              static_cast<int64_t>(sum.hash), bytes);
}

Result<> restart_relation(Connection& target, const MigrationRecord& migration,
                          const Relation& relation, uint64_t blocks_per_chunk,
                          std::optional<Lsn> begins) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  const std::string tenant = migration.tenant.to_string();
  if (auto locked = lock_chunks(target, tenant, relation.name); !locked) return locked;
  if (auto deleted = delete_rows(target, migration, relation.name); !deleted) return deleted;
  auto forgotten =
      tell(target, "DELETE FROM partywall_migration.chunk WHERE tenant = $1 AND relation = $2",
           tenant, relation.name);
  if (!forgotten) return forgotten;
  auto noted =
      tell(target,
           "UPDATE partywall_migration.relation SET filenode = $3, blocks = $4, format = "
           "$5 WHERE tenant = $1 AND relation = $2",
           tenant, relation.name, relation.filenode, relation.blocks, format_name(relation));
  if (!noted) return noted;
  if (auto planned = insert_chunks(target, tenant, relation, blocks_per_chunk); !planned)
    return planned;
  if (migration.is_online) {
    auto moved = begins ? note_relation_begins(target, migration.tenant, relation.name, *begins)
                        : delete_relation_begins(target, migration.tenant, relation.name);
    if (!moved) return moved;
  }
  if (auto state = set_state(target, migration.tenant, MigrationState::kCopying); !state)
    return state;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<> discard_migration(Connection& target, const MigrationRecord& migration) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  const auto progress = read_progress(target, migration.tenant);
  if (!progress) return std::unexpected(progress.error());
  const std::string tenant = migration.tenant.to_string();
  for (const RelationProgress& one : *progress) {
    if (auto locked = lock_chunks(target, tenant, one.relation); !locked) return locked;
    if (auto deleted = delete_rows(target, migration, one.relation); !deleted) return deleted;
  }
  std::vector<const char*> tables = {"chunk", "relation", "migration"};
  if (migration.is_online) tables.insert(tables.end(), {"stream_relation", "stream"});
  for (const char* table : tables) {
    auto forgotten = tell(
        target, fmt::format("DELETE FROM partywall_migration.{} WHERE tenant = $1", table), tenant);
    if (!forgotten) return forgotten;
  }
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

}  // namespace partywall::migrate
