#include "migrate/schema/read_catalog.h"

#include <array>

#include <fmt/format.h>

#include "migrate/schema/order.h"
#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::text;

PostgresResult<> read_database(Connection& connection, Catalog& catalog) {
  catalog.server_version = connection.server_version();
  auto read = for_each_row(connection,
                           "SELECT datname, pg_encoding_to_char(encoding), datcollate, "
                           "quote_ident(current_user) FROM pg_database WHERE datname = "
                           "current_database()",
                           [&](const Rows& rows, size_t i) {
                             catalog.database = text(rows, i, 0);
                             catalog.encoding = text(rows, i, 1);
                             catalog.collation = text(rows, i, 2);
                             catalog.user = text(rows, i, 3);
                           });
  if (!read) return read;
  read = for_each_row(connection, "SELECT quote_ident(rolname) FROM pg_roles",
                      [&](const Rows& rows, size_t i) { catalog.roles.insert(text(rows, i, 0)); });
  if (!read) return read;
  read =
      for_each_row(connection,
                   fmt::format("SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE {} AND {}",
                               kApplicationSchema, own("pg_namespace", "n.oid")),
                   [&](const Rows& rows, size_t i) { catalog.schemas.insert(text(rows, i, 0)); });
  if (!read) return read;
  return for_each_row(
      connection,
      "SELECT quote_ident(x.extname), quote_ident(n.nspname) FROM pg_extension x JOIN pg_namespace "
      "n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'",
      [&](const Rows& rows, size_t i) {
        catalog.extensions.emplace(text(rows, i, 0), text(rows, i, 1));
      });
}

// Types, routines, tables and views, by their age.
std::string nodes() {
  return fmt::format(R"(
SELECT 'pg_class'::regclass::oid AS class, c.oid,
    CASE WHEN c.relkind IN ('v', 'm') THEN 'view ' ELSE 'table ' END || format('%I.%I', n.nspname, c.relname) AS key
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND {0} AND {1}
UNION ALL
SELECT 'pg_type'::regclass, t.oid, 'type ' || format('%I.%I', n.nspname, t.typname)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {0} AND {2}
UNION ALL
SELECT 'pg_proc'::regclass, p.oid, 'routine ' || p.oid::regprocedure
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE {0} AND {3} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
      AND d.objid = p.oid AND d.deptype = 'i'))",
                     kApplicationSchema, own("pg_class", "c.oid"), own("pg_type", "t.oid"),
                     own("pg_proc", "p.oid"));
}

// Parts stand for their whole: a view's rule for the view, a row type for its table.
constexpr std::string_view kParts = R"(
SELECT class, oid, key FROM node
UNION ALL
SELECT 'pg_type'::regclass, t.oid, key FROM node JOIN pg_type t ON t.typrelid = node.oid
  WHERE class = 'pg_class'::regclass
UNION ALL
SELECT 'pg_type'::regclass, a.oid, key FROM node JOIN pg_type t ON t.oid = node.oid OR t.typrelid = node.oid
    JOIN pg_type a ON a.oid = t.typarray
  WHERE class IN ('pg_type'::regclass, 'pg_class'::regclass)
UNION ALL
SELECT 'pg_type'::regclass, (to_jsonb(r) ->> 'rngmultitypid')::oid, key FROM node JOIN pg_range r ON r.rngtypid = node.oid
  WHERE class = 'pg_type'::regclass
UNION ALL
SELECT 'pg_class'::regclass, t.typrelid, key FROM node JOIN pg_type t ON t.oid = node.oid
  WHERE class = 'pg_type'::regclass AND t.typrelid <> 0
UNION ALL
SELECT 'pg_constraint'::regclass, k.oid, key FROM node JOIN pg_constraint k ON k.contypid = node.oid
  WHERE class = 'pg_type'::regclass
UNION ALL
SELECT 'pg_rewrite'::regclass, w.oid, key FROM node JOIN pg_rewrite w ON w.ev_class = node.oid
  WHERE class = 'pg_class'::regclass AND key LIKE 'view %'
UNION ALL
SELECT 'pg_attrdef'::regclass, f.oid, key FROM node JOIN pg_attrdef f ON f.adrelid = node.oid
    JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated <> ''
  WHERE class = 'pg_class'::regclass)";

PostgresResult<> read_uses(Connection& connection, std::vector<std::string>& objects,
                           std::set<std::pair<std::string, std::string>>& uses) {
  auto read =
      for_each_row(connection, fmt::format("SELECT key FROM ({}) AS node ORDER BY oid", nodes()),
                   [&](const Rows& rows, size_t i) { objects.push_back(text(rows, i, 0)); });
  if (!read) return read;
  return for_each_row(
      connection,
      fmt::format("WITH node AS MATERIALIZED ({}), part AS MATERIALIZED ({}) SELECT DISTINCT "
                  "a.key, b.key FROM pg_depend d JOIN part a ON a.class = d.classid AND a.oid = "
                  "d.objid JOIN part b ON b.class = d.refclassid AND b.oid = d.refobjid WHERE "
                  "a.key <> b.key",
                  nodes(), kParts),
      [&](const Rows& rows, size_t i) { uses.emplace(text(rows, i, 0), text(rows, i, 1)); });
}

}  // namespace

Result<Catalog> read_catalog(Connection& connection) {
  if (auto pinned = connection.execute("SET LOCAL search_path = pg_catalog"); !pinned)
    return std::unexpected(pinned.error());
  Catalog catalog;
  constexpr std::array kReaders{read_database, read_types, read_routines, read_sequences,
                                read_tables,   read_views, read_triggers, read_comments,
                                read_grants,   read_others};
  for (const auto& read : kReaders) {
    if (auto done = read(connection, catalog); !done)
      return fail_with_context("reading the catalogs", done.error());
  }
  std::vector<std::string> objects;
  if (auto done = read_uses(connection, objects, catalog.uses); !done)
    return fail_with_context("reading what depends on what", done.error());
  auto ordered = ordered_by_use(objects, catalog.uses);
  if (!ordered) return std::unexpected(ordered.error());
  catalog.order = *std::move(ordered);
  return catalog;
}

}  // namespace partywall::migrate
