#include <fmt/format.h>

#include "sql/lint/read_facts.h"
#include "sql/schema/read_parts.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {

// Those that run with other rights than their caller's, reach out of the database, or are written
// in a language that may do anything. Of extensions only dblink's: what an extension brings is its
// own concern, but for the way out.
postgres::PostgresResult<> read_functions(postgres::Connection& connection, LintFacts& facts) {
  const auto rows = connection.execute(fmt::format(R"(
SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
  pg_get_userbyid(p.proowner), l.lanname, o.rolsuper OR o.rolbypassrls, p.prosecdef,
  EXISTS (SELECT FROM unnest(p.proconfig) AS s(setting) WHERE s.setting LIKE 'search_path=%'),
  EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0),
  EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid = p.oid AND NOT g.tgisinternal),
  l.lanpltrusted OR l.lanname IN ('internal', 'c', 'sql'),
  coalesce(x.extname = 'dblink', false)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  JOIN pg_roles o ON o.oid = p.proowner
  LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  LEFT JOIN pg_extension x ON x.oid = d.refobjid
WHERE p.prokind IN ('f', 'p') AND {} AND (x.oid IS NULL OR (x.extname = 'dblink' AND p.proname ~ '^dblink_connect'
                                          OR x.extname = 'dblink' AND p.proname = 'dblink'))
  AND (p.prosecdef OR x.oid IS NOT NULL OR NOT (l.lanpltrusted OR l.lanname IN ('internal', 'c', 'sql')))
ORDER BY 1)",
                                                   kApplicationSchemas),
                                       {std::string(kRegisterSchema)});
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    facts.functions.push_back({.signature = text(*rows, i, 0),
                               .owner = text(*rows, i, 1),
                               .language = text(*rows, i, 2),
                               .owner_bypasses = rows->is_true(i, 3),
                               .is_definer = rows->is_true(i, 4),
                               .pins_search_path = rows->is_true(i, 5),
                               .public_may_execute = rows->is_true(i, 6),
                               .fires_as_trigger = rows->is_true(i, 7),
                               .language_is_trusted = rows->is_true(i, 8),
                               .is_outward = rows->is_true(i, 9)});
  }
  return {};
}

}  // namespace partywall::sql
