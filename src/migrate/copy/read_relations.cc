#include <algorithm>

#include <fmt/format.h>

#include "migrate/copy/relation.h"
#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::list;
using sql::text;

using RelationsByName = std::map<std::string, Relation>;

constexpr std::string_view kTables = R"(
SELECT format('%I.%I', n.nspname, c.relname), pg_relation_filenode(c.oid),
  pg_relation_size(c.oid) / current_setting('block_size')::bigint,
  ARRAY(SELECT quote_ident(a.attname) FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (number, place),
      pg_attribute a
    WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts AND a.attrelid = c.oid
      AND a.attnum = k.number ORDER BY k.place)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r')";

// array_recv and record_recv compare the numbers of types in an image with their own. Numbers below
// 10,000 are written down in PostgreSQL's sources; all others differ from database to database.
constexpr std::string_view kColumns = R"(
WITH RECURSIVE part (whole, part, image_has_number) AS (
  SELECT oid, typbasetype, false FROM pg_type WHERE typtype = 'd'
  UNION ALL SELECT typarray, oid, true FROM pg_type WHERE typarray <> 0
  UNION ALL SELECT rngtypid, rngsubtype, false FROM pg_range
  UNION ALL SELECT (to_jsonb(r) ->> 'rngmultitypid')::oid, rngsubtype, false FROM pg_range r
  UNION ALL SELECT t.oid, a.atttypid, true FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
    WHERE t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped
), other (oid) AS (
  SELECT * FROM (SELECT oid FROM pg_type
      WHERE typtype IN ('b', 'e', 'r') AND (typsend = 0 OR typreceive = 0)
        OR typnamespace = 'pg_catalog'::regnamespace AND typname ~ '^reg'
    UNION SELECT whole FROM part WHERE image_has_number AND part >= 10000) AS first
  UNION SELECT p.whole FROM part p JOIN other o ON o.oid = p.part
)
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname),
  a.atttypid NOT IN (SELECT oid FROM other WHERE oid IS NOT NULL)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY c.oid, a.attnum)";

PostgresResult<> read_tables_of(Connection& source, RelationsByName& relations) {
  return for_each_row(source, std::string(kTables), [&](const Rows& rows, size_t i) {
    const auto found = relations.find(text(rows, i, 0));
    if (found == relations.end()) return;
    found->second.filenode = static_cast<uint32_t>(rows.number(i, 1));
    found->second.blocks = static_cast<uint64_t>(rows.number(i, 2));
    found->second.key = list(rows, i, 3);
  });
}

PostgresResult<> read_columns_of(Connection& source, RelationsByName& relations) {
  return for_each_row(source, std::string(kColumns), [&](const Rows& rows, size_t i) {
    const auto found = relations.find(text(rows, i, 0));
    if (found != relations.end())
      found->second.columns.push_back({text(rows, i, 1), rows.is_true(i, 2)});
  });
}

// A generated column is not copied, so a key with one would not be whole in the rows that are
// compared: the relation is treated as one without a key.
void forget_partial_key(Relation& relation) {
  const auto is_copied = [&](const std::string& name) {
    return std::ranges::count(relation.columns, name, &RelationColumn::name) > 0;
  };
  if (!std::ranges::all_of(relation.key, is_copied)) relation.key.clear();
}

}  // namespace

Result<std::vector<Relation>> read_relations(Connection& source, const Catalog& catalog,
                                             const std::map<std::string, TableClass>& classes) {
  RelationsByName by_name;
  for (const Table& table : catalog.tables) {
    if (table.partition_key.empty() && classes.at(table.name) == TableClass::kTenant)
      by_name.emplace(table.name, Relation{.name = table.name});
  }
  for (const auto& read : {read_tables_of, read_columns_of}) {
    if (auto done = read(source, by_name); !done)
      return fail_with_context("reading the source's tables", done.error());
  }
  std::vector<Relation> relations;
  for (auto& [name, relation] : by_name) {
    forget_partial_key(relation);
    relations.push_back(std::move(relation));
  }
  std::ranges::sort(relations, [](const Relation& a, const Relation& b) {
    return a.blocks != b.blocks ? a.blocks > b.blocks : a.name < b.name;
  });
  return relations;
}

}  // namespace partywall::migrate
