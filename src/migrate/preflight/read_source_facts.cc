#include <algorithm>
#include <set>

#include "migrate/preflight/facts.h"
#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::text;

// A row a relation: whether it may be read, whether row-level security acts on this user, whether
// changes of its rows say which row they are of.
constexpr std::string_view kRelations = R"(
SELECT format('%I.%I', n.nspname, c.relname), has_table_privilege(c.oid, 'SELECT'), row_security_active(c.oid),
  c.relreplident = 'f' OR c.relreplident = 'i' OR (c.relreplident = 'd' AND EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND )";

constexpr std::string_view kSourceSequences = R"(
SELECT format('%I.%I', n.nspname, c.relname), has_sequence_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND )";

constexpr std::string_view kServer = R"(
SELECT current_database(), pg_database_size(current_database()), current_setting('wal_level'),
  current_setting('max_replication_slots')::bigint - (SELECT count(*) FROM pg_replication_slots),
  current_setting('max_wal_senders')::bigint - (SELECT count(*) FROM pg_stat_replication),
  (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
  coalesce((SELECT extract(epoch FROM max(now() - xact_start))::bigint FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND datname = current_database()), 0),
  (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
  (SELECT count(*) FROM pg_largeobject_metadata), pg_is_in_recovery())";

constexpr std::string_view kGenerated = R"(
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND {} ORDER BY 1)";

constexpr std::string_view kOnTruncate = R"(
SELECT format('%I on %I.%I', t.tgname, n.nspname, c.relname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND t.tgtype & 32 <> 0 AND {} ORDER BY 1)";

// CASE keeps the order: other relations have no last value.
constexpr std::string_view kFilled = R"(
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname), format_type(a.atttypid, NULL),
  coalesce(CASE WHEN s.relkind = 'S' AND has_sequence_privilege(s.oid, 'SELECT') THEN pg_sequence_last_value(s.oid) END, 0)
    / CASE a.atttypid WHEN 'int2'::regtype THEN 32767.0 ELSE 2147483647.0 END
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class c ON c.oid = d.refobjid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype) AND {} ORDER BY 1)";

PostgresResult<> read_server(Connection& source, SourceFacts& facts) {
  return for_each_row(source, std::string(kServer), [&](const Rows& rows, size_t i) {
    facts.database = text(rows, i, 0);
    facts.bytes = static_cast<uint64_t>(rows.number(i, 1));
    facts.wal_level = text(rows, i, 2);
    facts.free_slots = rows.number(i, 3);
    facts.free_senders = rows.number(i, 4);
    facts.slot_wal_limit_mb = rows.number(i, 5);
    facts.oldest_transaction = seconds(rows.number(i, 6));
    facts.prepared_transactions = rows.number(i, 7);
    facts.large_objects = static_cast<uint64_t>(rows.number(i, 8));
    facts.is_standby = rows.is_true(i, 9);
  });
}

PostgresResult<> read_relation_facts(Connection& source, const std::set<std::string>& names,
                                     SourceFacts& facts) {
  return for_each_row(source, std::string(kRelations) + std::string(kApplicationSchema),
                      [&](const Rows& rows, size_t i) {
                        const std::string name = text(rows, i, 0);
                        if (!names.contains(name)) return;
                        if (!rows.is_true(i, 1)) facts.unreadable.push_back(name);
                        if (rows.is_true(i, 2)) facts.hidden.push_back(name);
                        if (!rows.is_true(i, 3)) facts.without_identity.push_back(name);
                      });
}

PostgresResult<> read_sequence_facts(Connection& source, const std::vector<Sequence>& sequences,
                                     SourceFacts& facts) {
  return for_each_row(source, std::string(kSourceSequences) + std::string(kApplicationSchema),
                      [&](const Rows& rows, size_t i) {
                        const std::string name = text(rows, i, 0);
                        const bool is_read =
                            std::ranges::count(sequences, name, &Sequence::name) > 0;
                        if (is_read && !rows.is_true(i, 1))
                          facts.unreadable_sequences.push_back(name);
                      });
}

PostgresResult<> read_names(Connection& source, std::string_view query,
                            std::vector<std::string>& names) {
  return for_each_row(source, fmt::format(fmt::runtime(query), kApplicationSchema),
                      [&](const Rows& rows, size_t i) { names.push_back(text(rows, i, 0)); });
}

PostgresResult<> read_filled(Connection& source, SourceFacts& facts) {
  return for_each_row(source, fmt::format(kFilled, kApplicationSchema),
                      [&](const Rows& rows, size_t i) {
                        facts.filled.push_back({.column = text(rows, i, 0),
                                                .type = text(rows, i, 1),
                                                .share = std::stod(text(rows, i, 2))});
                      });
}

PostgresResult<> read_orphans(Connection& source, SourceFacts& facts) {
  auto orphans = find_unvalidated_orphans(source);
  if (!orphans) return std::unexpected(orphans.error());
  facts.orphans = *std::move(orphans);
  return {};
}

PostgresResult<> read_extensions(Connection& source, SourceFacts& facts) {
  return for_each_row(source, "SELECT extname, extversion FROM pg_extension",
                      [&](const Rows& rows, size_t i) {
                        facts.extensions.emplace(text(rows, i, 0), text(rows, i, 1));
                      });
}

}  // namespace

Result<SourceFacts> read_source_facts(Connection& source, const std::vector<Relation>& relations,
                                      const std::vector<Sequence>& sequences) {
  SourceFacts facts;
  std::set<std::string> names;
  for (const Relation& relation : relations) {
    names.insert(relation.name);
    if (!relation.is_portable()) facts.as_text.push_back(relation.name);
  }
  const auto read = [&]() -> PostgresResult<> {
    if (auto done = read_server(source, facts); !done) return done;
    if (auto done = read_relation_facts(source, names, facts); !done) return done;
    if (auto done = read_sequence_facts(source, sequences, facts); !done) return done;
    if (auto done = read_names(source, kGenerated, facts.generated); !done) return done;
    if (auto done = read_names(source, kOnTruncate, facts.on_truncate); !done) return done;
    if (auto done = read_filled(source, facts); !done) return done;
    if (auto done = read_extensions(source, facts); !done) return done;
    // Where tables cannot be read, that is what is to be said.
    return facts.unreadable.empty() && facts.hidden.empty() ? read_orphans(source, facts)
                                                            : PostgresResult<>();
  }();
  if (!read) return fail_with_context("looking at the source", read.error());
  return facts;
}

}  // namespace partywall::migrate
