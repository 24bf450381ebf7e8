#include <algorithm>

#include <fmt/format.h>

#include "sql/lint/read_facts.h"
#include "sql/schema/read_parts.h"
#include "sql/schema/register_sql.h"

// Who may log in, draw numbers, or subscribe.
namespace partywall::sql {

using postgres::Connection;
using postgres::PostgresResult;

PostgresResult<> read_logins(Connection& connection, LintFacts& facts) {
  const auto rows = connection.execute(fmt::format(R"(
WITH owners AS (
  SELECT DISTINCT c.relowner AS oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = $2 AND t.attnum > 0 AND NOT t.attisdropped
  WHERE c.relkind IN ('r', 'p') AND {})
SELECT r.rolname, r.rolsuper, r.rolbypassrls,
  ARRAY(SELECT pg_get_userbyid(o.oid) FROM owners o WHERE NOT r.rolsuper AND pg_has_role(r.oid, o.oid, 'MEMBER') ORDER BY 1)
FROM pg_roles r WHERE r.rolcanlogin ORDER BY 1)",
                                                   kApplicationSchemas),
                                       {std::string(kRegisterSchema), facts.tenant_column});
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.logins.push_back({.name = text(*rows, i, 0),
                            .is_superuser = rows->is_true(i, 1),
                            .bypasses = rows->is_true(i, 2),
                            .owns = list(*rows, i, 3)});
  }
  return {};
}

PostgresResult<> read_sequences(Connection& connection, LintFacts& facts) {
  const auto rows = connection.execute(fmt::format(R"(
SELECT n.nspname, c.relname, bool_or(a.privilege_type = 'UPDATE'), bool_or(a.privilege_type = 'SELECT'),
  bool_or(a.privilege_type = 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN LATERAL aclexplode(c.relacl) a ON a.grantee = 0
WHERE c.relkind = 'S' AND {} AND {} GROUP BY 1, 2 ORDER BY 1, 2)",
                                                   kApplicationSchemas, kNotOfAnExtension),
                                       {std::string(kRegisterSchema)});
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.sequences.push_back({.name = {text(*rows, i, 0), text(*rows, i, 1)},
                               .public_update = rows->is_true(i, 2),
                               .public_select = rows->is_true(i, 3),
                               .public_usage = rows->is_true(i, 4)});
  }
  return {};
}

PostgresResult<> read_publications(Connection& connection, LintFacts& facts) {
  const auto rows = connection.execute(
      R"(
SELECT p.pubname, p.puballtables, coalesce(t.schemaname, ''), coalesce(t.tablename, '')
FROM pg_publication p LEFT JOIN (pg_publication_tables t
    JOIN pg_class c ON c.oid = format('%I.%I', t.schemaname, t.tablename)::regclass
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $1 AND a.attnum > 0 AND NOT a.attisdropped)
  ON t.pubname = p.pubname AND t.rowfilter IS NULL
ORDER BY 1, 3, 4)",
      {facts.tenant_column});
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    const std::string name = text(*rows, i, 0);
    if (facts.publications.empty() || facts.publications.back().name != name)
      facts.publications.push_back({.name = name, .all_tables = rows->is_true(i, 1), .tables = {}});
    if (!text(*rows, i, 3).empty()) {
      facts.publications.back().tables.push_back({text(*rows, i, 2), text(*rows, i, 3)});
    }
  }
  return {};
}

}  // namespace partywall::sql
