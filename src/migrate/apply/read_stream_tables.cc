#include "migrate/apply/read_stream_tables.h"

#include <fmt/format.h>

#include "migrate/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Rows;

// Permanent and unlogged tables of the application, without those of extensions.
std::string of_tables(std::string_view joined = "") {
  return fmt::format(
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {} "
      "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {} AND {}",
      joined, kApplicationSchema, own("pg_class", "c.oid"));
}

// Of pg_class c: the table at the top of its partitions is r, in the namespace rn.
constexpr std::string_view kJoinRoot =
    "JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid) "
    "JOIN pg_namespace rn ON rn.oid = r.relnamespace";

// Of pg_index i: whether it is the key of the replica identity. A deferrable one is none.
constexpr std::string_view kIsIdentity =
    "i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND "
    "(c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)";
// Of pg_index i: whether pg_attribute a is one of its keys.
constexpr std::string_view kIsKey = "a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])";

std::string tables_query() {
  return fmt::format(R"(
SELECT n.nspname, c.relname, c.relkind = 'p', c.relispartition, c.relpersistence = 'u', row_security_active(c.oid),
  CASE WHEN c.relreplident = 'f' THEN 'full' WHEN EXISTS (SELECT FROM pg_index i WHERE {}) THEN 'key' ELSE 'nothing' END,
  rn.nspname, r.relname, (SELECT string_agg(quote_ident(t.tgname), ', ' ORDER BY t.tgname) FROM pg_trigger t
    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R'))
{} ORDER BY 1, 2)",
                     kIsIdentity, of_tables(kJoinRoot));
}

std::string columns_query() {
  return fmt::format(R"(
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid::text,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND {0}),
  a.attgenerated <> '', a.attidentity = 'a', NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '',
  coalesce((SELECT o.oprnamespace::regnamespace::text FROM pg_operator o JOIN pg_type t ON t.oid = a.atttypid
    WHERE o.oprname = '=' AND o.oprleft = o.oprright
      AND o.oprleft = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END LIMIT 1), 'pg_catalog'),
  EXISTS (SELECT FROM pg_index i WHERE {1} AND {0})
{2} ORDER BY 1, 2, a.attnum)",
                     kIsKey, kIsIdentity,
                     of_tables("JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND "
                               "NOT a.attisdropped"));
}

ReplicaIdentity identity_of(std::string_view text) {
  if (text == "full") return ReplicaIdentity::kFull;
  return text == "key" ? ReplicaIdentity::kKey : ReplicaIdentity::kNothing;
}

std::string text_of(const Rows& rows, size_t row, size_t column) {
  return std::string(rows.text(row, column));
}

void add_columns(const Rows& rows, StreamTables& tables) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto table = tables.find({text_of(rows, i, 0), text_of(rows, i, 1)});
    if (table == tables.end()) continue;
    table->second.columns.push_back({.name = text_of(rows, i, 2),
                                     .type = text_of(rows, i, 3),
                                     .type_id = static_cast<uint32_t>(rows.number(i, 4)),
                                     .is_primary = rows.is_true(i, 5),
                                     .is_identity = rows.is_true(i, 10),
                                     .is_generated = rows.is_true(i, 6),
                                     .is_always_identity = rows.is_true(i, 7),
                                     .can_be_left_out = rows.is_true(i, 8),
                                     .equality_schema = text_of(rows, i, 9)});
  }
}

}  // namespace

Result<StreamTables> read_stream_tables(postgres::Connection& connection) {
  auto transaction =
      postgres::Transaction::begin(connection, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  if (auto set = connection.execute("SET LOCAL search_path = pg_catalog"); !set)
    return std::unexpected(set.error());
  const auto rows = connection.execute(tables_query());
  if (!rows) return std::unexpected(rows.error());
  StreamTables tables;
  for (size_t i = 0; i < rows->size(); ++i) {
    StreamTable table{.schema = text_of(*rows, i, 0),
                      .name = text_of(*rows, i, 1),
                      .root = {text_of(*rows, i, 7), text_of(*rows, i, 8)},
                      .identity = identity_of(rows->text(i, 6)),
                      .is_partitioned = rows->is_true(i, 2),
                      .is_partition = rows->is_true(i, 3),
                      .is_unlogged = rows->is_true(i, 4),
                      .has_row_security = rows->is_true(i, 5),
                      .acting_triggers = text_of(*rows, i, 9),
                      .columns = {}};
    tables.emplace(std::pair(table.schema, table.name), std::move(table));
  }
  const auto columns = connection.execute(columns_query());
  if (!columns) return std::unexpected(columns.error());
  add_columns(*columns, tables);
  return tables;
}

Result<TableRoots> read_table_roots(postgres::Connection& connection) {
  const auto rows = connection.execute("SELECT n.nspname, c.relname, rn.nspname, r.relname " +
                                       of_tables(kJoinRoot));
  if (!rows) return std::unexpected(rows.error());
  TableRoots roots;
  for (size_t i = 0; i < rows->size(); ++i) {
    roots.emplace(TableName(text_of(*rows, i, 0), text_of(*rows, i, 1)),
                  TableName(text_of(*rows, i, 2), text_of(*rows, i, 3)));
  }
  return roots;
}

Result<TableNames> read_published_tables(postgres::Connection& connection,
                                         const std::string& publication) {
  const auto rows = connection.execute(
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_publication_rel r "
      "JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid "
      "JOIN pg_catalog.pg_class c ON c.oid = r.prrelid "
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1",
      {publication});
  if (!rows) return std::unexpected(rows.error());
  TableNames names;
  for (size_t i = 0; i < rows->size(); ++i)
    names.emplace(text_of(*rows, i, 0), text_of(*rows, i, 1));
  return names;
}

Result<bool> is_shared(postgres::Connection& connection) {
  const auto rows =
      connection.execute("SELECT pg_catalog.to_regclass('partywall.register_key') IS NOT NULL");
  if (!rows) return std::unexpected(rows.error());
  return rows->is_true(0);
}

}  // namespace partywall::migrate
