#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::list;
using sql::text;

using TablesByName = std::map<std::string, Table*>;

// Of pg_class c and pg_namespace n.
std::string own_tables(std::string_view joined) {
  return fmt::format(
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {} WHERE c.relkind IN ('r', "
      "'p') AND c.relpersistence <> 't' AND {} AND {}",
      joined, kApplicationSchema, own("pg_class", "c.oid"));
}

constexpr std::string_view kTableName = "format('%I.%I', n.nspname, c.relname)";

PostgresResult<> read_columns(Connection& connection, const TablesByName& tables) {
  return for_each_row(
      connection,
      fmt::format(R"(
SELECT {}, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text ELSE '' END,
  a.attnotnull, CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(f.adbin, f.adrelid), '') ELSE '' END,
  CASE WHEN a.attgenerated <> '' THEN pg_get_expr(f.adbin, f.adrelid) ELSE '' END, a.attidentity,
  ARRAY(SELECT DISTINCT s.oid::regclass::text FROM pg_depend d JOIN pg_class s ON s.relkind = 'S' AND s.oid =
      CASE WHEN d.classid = 'pg_attrdef'::regclass THEN d.refobjid ELSE d.objid END
    WHERE (d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass)
      OR (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
          AND d.refobjsubid = a.attnum AND d.deptype = 'i'))
{} ORDER BY c.oid, a.attnum)",
                  kTableName,
                  own_tables("JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
                             "a.attisdropped JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN "
                             "pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum")),
      [&](const Rows& rows, size_t i) {
        const std::string identity = text(rows, i, 7);
        tables.at(text(rows, i, 0))
            ->columns.push_back({.name = text(rows, i, 1),
                                 .type = text(rows, i, 2),
                                 .collation = text(rows, i, 3),
                                 .not_null = rows.is_true(i, 4),
                                 .default_value = text(rows, i, 5),
                                 .generated = text(rows, i, 6),
                                 .identity = identity == "a"   ? Identity::kAlways
                                             : identity == "d" ? Identity::kByDefault
                                                               : Identity::kNone,
                                 .sequences = list(rows, i, 8)});
      });
}

ConstraintKind kind_of(std::string_view contype) {
  if (contype == "p") return ConstraintKind::kPrimary;
  if (contype == "u") return ConstraintKind::kUnique;
  if (contype == "x") return ConstraintKind::kExclusion;
  return contype == "f" ? ConstraintKind::kForeign : ConstraintKind::kCheck;
}

// Foreign keys that partitions have from their parent, and those that stand for the partitions of a
// referenced table, come and go with the parent's. Columns that came after PostgreSQL 12 are asked
// for as JSON.
PostgresResult<> read_constraints(Connection& connection, const TablesByName& tables) {
  const auto columns = [](std::string_view numbers, std::string_view table) {
    return fmt::format(
        "ARRAY(SELECT quote_ident(a.attname) FROM unnest({}) WITH ORDINALITY AS u(number, place) "
        "JOIN pg_attribute a ON a.attrelid = {} AND a.attnum = u.number ORDER BY u.place)",
        numbers, table);
  };
  const auto action = [](std::string_view code) {
    return fmt::format(
        "CASE {} WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN "
        "'d' THEN 'SET DEFAULT' ELSE '' END",
        code);
  };
  const std::string query = fmt::format(
      R"(
SELECT {}, quote_ident(k.conname), k.contype, pg_get_constraintdef(k.oid), coalesce(m.amname, ''),
  {}, CASE WHEN k.confrelid <> 0 THEN k.confrelid::regclass::text ELSE '' END, {}, k.confmatchtype = 'f', {}, {}, {},
  CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
    || CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END, CASE WHEN k.contype = 'f' THEN k.oid ELSE k.conindid END::bigint
{} AND k.contype IN ('p', 'u', 'x', 'f', 'c') AND NOT (k.contype = 'f' AND k.conparentid <> 0) ORDER BY c.oid, k.oid)",
      kTableName, columns("k.conkey", "k.conrelid"), columns("k.confkey", "k.confrelid"),
      action("k.confupdtype"), action("k.confdeltype"),
      columns("ARRAY(SELECT jsonb_array_elements_text(coalesce(nullif(to_jsonb(k) -> "
              "'confdelsetcols', 'null'), '[]'))::int)",
              "k.conrelid"),
      own_tables("JOIN pg_constraint k ON k.conrelid = c.oid LEFT JOIN pg_class x ON x.oid = "
                 "k.conindid AND k.contype IN ('p', 'u', 'x') LEFT JOIN pg_am m ON m.oid = "
                 "x.relam"));
  return for_each_row(connection, query, [&](const Rows& rows, size_t i) {
    Constraint constraint{.name = text(rows, i, 1),
                          .kind = kind_of(rows.text(i, 2)),
                          .definition = text(rows, i, 3),
                          .method = text(rows, i, 4),
                          .age = rows.number(i, 13)};
    if (constraint.kind == ConstraintKind::kForeign) {
      constraint.reference = {.columns = list(rows, i, 5),
                              .table = text(rows, i, 6),
                              .referenced_columns = list(rows, i, 7),
                              .match_full = rows.is_true(i, 8),
                              .on_update = text(rows, i, 9),
                              .on_delete = text(rows, i, 10),
                              .set_columns = list(rows, i, 11),
                              .timing = text(rows, i, 12)};
    }
    tables.at(text(rows, i, 0))->constraints.push_back(std::move(constraint));
  });
}

PostgresResult<> read_indexes(Connection& connection, const TablesByName& tables) {
  std::string unread;
  auto read = for_each_row(
      connection,
      fmt::format(R"(
SELECT {0}, quote_ident(x.relname), i.indisunique, m.amname, pg_get_indexdef(x.oid),
  format('CREATE %sINDEX %I ON %s%I.%I USING %I (', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname,
         CASE WHEN x.relkind = 'I' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname, m.amname), x.oid::bigint,
  i.indpred IS NOT NULL OR EXISTS (
    SELECT FROM generate_series(1, i.indnkeyatts) k
    WHERE pg_index_column_has_property(x.oid, k, 'search_nulls')
      OR EXISTS (SELECT FROM pg_opclass o JOIN pg_amop s ON s.amopfamily = o.opcfamily
                   JOIN pg_operator p ON p.oid = s.amopopr JOIN pg_proc f ON f.oid = p.oprcode
                 WHERE o.oid = i.indclass[k - 1] AND (s.amoppurpose = 'o' OR f.proleakproof)))
{1} AND i.indisvalid ORDER BY c.oid, x.oid)",
                  kTableName,
                  own_tables("JOIN pg_index i ON i.indrelid = c.oid AND NOT EXISTS (SELECT FROM "
                             "pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN "
                             "('p', 'u', 'x')) JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am "
                             "m ON m.oid = x.relam")),
      [&](const Rows& rows, size_t i) {
        const std::string_view definition = rows.text(i, 4);
        const std::string_view start = rows.text(i, 5);
        if (!definition.starts_with(start)) unread = definition;
        tables.at(text(rows, i, 0))
            ->indexes.push_back(
                {.name = text(rows, i, 1),
                 .is_unique = rows.is_true(i, 2),
                 .method = text(rows, i, 3),
                 .rest = std::string(definition.substr(std::min(start.size(), definition.size()))),
                 .age = rows.number(i, 6),
                 .is_searched_early = rows.is_true(i, 7)});
      });
  if (read && !unread.empty()) {
    return std::unexpected(postgres::PostgresError(
        ErrorKind::kInternal, "the server writes an index in an unknown form: " + unread));
  }
  return read;
}

}  // namespace

PostgresResult<> read_tables(Connection& connection, Catalog& catalog) {
  auto read = for_each_row(connection,
                           fmt::format(R"(
SELECT {}, c.relpersistence = 'u', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) ELSE '' END,
  CASE WHEN c.relispartition THEN (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = c.oid) ELSE '' END,
  coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
  array_to_string(ARRAY(SELECT unnest(c.reloptions) ORDER BY 1), ', '),
  pg_relation_size(c.oid) > 0 OR EXISTS (SELECT FROM pg_partition_tree(c.oid) AS p WHERE pg_relation_size(p.relid) > 0)
{} ORDER BY c.oid)",
                                       kTableName, own_tables("")),
                           [&](const Rows& rows, size_t i) {
                             Table table;
                             table.name = text(rows, i, 0);
                             table.is_unlogged = rows.is_true(i, 1);
                             table.partition_key = text(rows, i, 2);
                             table.parent = text(rows, i, 3);
                             table.bound = text(rows, i, 4);
                             table.options = text(rows, i, 5);
                             table.may_have_rows = rows.is_true(i, 6);
                             catalog.tables.push_back(std::move(table));
                           });
  if (!read) return read;
  TablesByName tables;
  for (Table& table : catalog.tables) tables.emplace(table.name, &table);
  if (read = read_columns(connection, tables); !read) return read;
  if (read = read_constraints(connection, tables); !read) return read;
  return read_indexes(connection, tables);
}

PostgresResult<> read_views(Connection& connection, Catalog& catalog) {
  return for_each_row(connection,
                      fmt::format(R"(
SELECT {}, c.relkind = 'm', array_to_string(ARRAY(SELECT unnest(c.reloptions) ORDER BY 1), ', '),
  pg_get_viewdef(c.oid),
  ARRAY(SELECT DISTINCT quote_ident(k.conname) || ' of ' || k.conrelid::regclass
        FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
          JOIN pg_constraint k ON d.refclassid = 'pg_constraint'::regclass AND k.oid = d.refobjid
        WHERE w.ev_class = c.oid AND k.conrelid <> 0 ORDER BY 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND {} AND {} ORDER BY c.oid)",
                                  kTableName, kApplicationSchema, own("pg_class", "c.oid")),
                      [&](const Rows& rows, size_t i) {
                        std::string query = text(rows, i, 3);
                        if (query.ends_with(';')) query.pop_back();
                        catalog.views.push_back({.name = text(rows, i, 0),
                                                 .is_materialized = rows.is_true(i, 1),
                                                 .options = text(rows, i, 2),
                                                 .query = std::move(query),
                                                 .triggers = {},
                                                 .keys = list(rows, i, 4)});
                      });
}

PostgresResult<> read_triggers(Connection& connection, Catalog& catalog) {
  return for_each_row(connection,
                      fmt::format(R"(
SELECT {}, quote_ident(g.tgname), pg_get_triggerdef(g.oid),
  CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE '' END
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND coalesce((to_jsonb(g) ->> 'tgparentid')::oid, 0) = 0 AND {} AND {}
ORDER BY g.oid)",
                                  kTableName, kApplicationSchema, own("pg_class", "c.oid")),
                      [&](const Rows& rows, size_t i) {
                        const std::string name = text(rows, i, 0);
                        Trigger trigger{.name = text(rows, i, 1),
                                        .definition = text(rows, i, 2),
                                        .firing = text(rows, i, 3)};
                        if (auto table = std::ranges::find(catalog.tables, name, &Table::name);
                            table != catalog.tables.end()) {
                          table->triggers.push_back(std::move(trigger));
                        } else if (auto view = std::ranges::find(catalog.views, name, &View::name);
                                   view != catalog.views.end()) {
                          view->triggers.push_back(std::move(trigger));
                        }
                      });
}

}  // namespace partywall::migrate
