#include <fmt/format.h>

#include "sql/lint/read_facts.h"
#include "sql/schema/read_parts.h"
#include "sql/schema/register_sql.h"

// Tables with the tenant column and their keys. In all queries $1 is the register's schema, $2 the
// tenant column.
namespace partywall::sql {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;

namespace {

constexpr std::string_view kTenantTables = R"(
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = $2 AND t.attnum > 0 AND NOT t.attisdropped)";

PostgresResult<Rows> ask(Connection& connection, const LintFacts& facts, std::string_view columns,
                         std::string_view more_tables, std::string_view where) {
  return connection.execute(
      fmt::format("SELECT {} {} {} WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND "
                  "{} AND {} AND {} ORDER BY 1, 2, 3",
                  columns, kTenantTables, more_tables, kApplicationSchemas, kNotOfAnExtension,
                  where),
      {std::string(kRegisterSchema), facts.tenant_column});
}

QualifiedName name_at(const Rows& rows, size_t row, size_t column) {
  return {text(rows, row, column), text(rows, row, column + 1)};
}

}  // namespace

PostgresResult<> read_tenant_tables(Connection& connection, LintFacts& facts) {
  const auto rows = ask(connection, facts, R"(n.nspname, c.relname, t.attnotnull,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
            AND i.indkey[0] = t.attnum),
  ARRAY(SELECT w.rulename FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1' ORDER BY 1))",
                        "", "true");
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.tenant_tables.push_back({.table = name_at(*rows, i, 0),
                                   .column_is_required = rows->is_true(i, 2),
                                   .index_led_by_tenant = rows->is_true(i, 3),
                                   .rewrite_rules = list(*rows, i, 4)});
  }
  return {};
}

// Of partitions the parent's key is reported.
PostgresResult<> read_keys(Connection& connection, LintFacts& facts) {
  const auto rows =
      ask(connection, facts, R"(n.nspname, c.relname, x.relname, k.oid IS NOT NULL,
  i.indisprimary, i.indisexclusion,
  CASE WHEN 0 = ANY (i.indkey::smallint[]) THEN '{}' ELSE ARRAY(
    SELECT quote_ident(a.attname) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(number, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
    WHERE u.place <= i.indnkeyatts ORDER BY u.place) END,
  NOT EXISTS (SELECT FROM unnest(i.indkey::smallint[]) AS u(number)
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = u.number
    WHERE u.number = 0 OR (a.attidentity = '' AND coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                             !~ '^(\w+\.)?(nextval|gen_random_uuid|uuid_generate_v4)\(')))",
          R"(JOIN pg_index i ON i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
  JOIN pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))",
          "NOT c.relispartition AND t.attnum <> ALL ((i.indkey::smallint[])"
          "[0:i.indnkeyatts - 1])");
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.keys.push_back({.table = name_at(*rows, i, 0),
                          .name = text(*rows, i, 2),
                          .is_constraint = rows->is_true(i, 3),
                          .is_primary = rows->is_true(i, 4),
                          .is_exclusion = rows->is_true(i, 5),
                          .columns = list(*rows, i, 6),
                          .is_generated = rows->is_true(i, 7)});
  }
  return {};
}

PostgresResult<> read_foreign_keys(Connection& connection, LintFacts& facts) {
  constexpr std::string_view kColumns = R"(n.nspname, c.relname, k.conname, rn.nspname, r.relname,
  ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place),
  ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = u.number ORDER BY u.place),
  coalesce(substring(pg_get_constraintdef(k.oid) from ' (ON (DELETE|UPDATE) .*)$'), ''))";
  const auto rows = ask(connection, facts, kColumns, R"(
  JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
  JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
  JOIN pg_attribute rt ON rt.attrelid = r.oid AND rt.attname = $2 AND rt.attnum > 0 AND NOT rt.attisdropped)",
                        "NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS p(own, theirs) "
                        "WHERE p.own = t.attnum AND p.theirs = rt.attnum)");
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.foreign_keys.push_back({.table = name_at(*rows, i, 0),
                                  .referenced = name_at(*rows, i, 3),
                                  .name = text(*rows, i, 2),
                                  .columns = list(*rows, i, 5),
                                  .referenced_columns = list(*rows, i, 6),
                                  .actions = text(*rows, i, 7)});
  }
  return {};
}

}  // namespace partywall::sql
