#include "migrate/verify/references.h"

#include "migrate/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Parameter;
using postgres::PostgresResult;

// A key and the query that counts its orphans. $1: the tenant's column, whose value is that query's
// $1; '': all rows count. $2: keys that are validated, or that are not. Operators are the keys'
// own: "=" may mean something else for a type.
constexpr std::string_view kForeignKeys = R"(
SELECT quote_ident(k.conname) || ' on ' || format('%I.%I', n.nspname, c.relname),
  format('SELECT count(*) FROM %I.%I AS c WHERE %s%s AND NOT EXISTS (SELECT FROM %I.%I AS p WHERE %s)',
    n.nspname, c.relname, 'c.' || nullif($1::text, '') || ' = $1::uuid AND ',
    string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '), fn.nspname, f.relname,
    string_agg(format('p.%I OPERATOR(%I.%s) c.%I', b.attname, onsp.nspname, o.oprname, a.attname), ' AND '))
FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
  CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) AS x (own, theirs, operator)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.own
  JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = x.theirs
  JOIN pg_operator o ON o.oid = x.operator JOIN pg_namespace onsp ON onsp.oid = o.oprnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.convalidated = $2::boolean AND {}
  AND ($1 = '' OR EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND quote_ident(t.attname) = $1
                          AND NOT t.attisdropped))
GROUP BY k.oid, k.conname, n.nspname, c.relname, fn.nspname, f.relname
ORDER BY 1)";

PostgresResult<std::vector<BrokenReference>> count_orphans(Connection& connection,
                                                           const std::string& tenant_column,
                                                           const char* validated,
                                                           const std::vector<Parameter>& tenant) {
  const auto keys =
      connection.execute(fmt::format(kForeignKeys, kApplicationSchema), {tenant_column, validated});
  if (!keys) return std::unexpected(keys.error());
  std::vector<BrokenReference> broken;
  for (size_t i = 0; i < keys->size(); ++i) {
    const auto count = connection.execute(std::string(keys->text(i, 1)), tenant);
    if (!count) return std::unexpected(count.error());
    if (count->number(0) > 0)
      broken.push_back({std::string(keys->text(i, 0)), static_cast<uint64_t>(count->number(0))});
  }
  return broken;
}

}  // namespace

Result<std::vector<BrokenReference>> find_broken_references(Connection& target, const Uuid& tenant,
                                                            const std::string& tenant_column) {
  auto broken = count_orphans(target, tenant_column, "true", {tenant.to_string()});
  if (!broken) return fail_with_context("checking the target's foreign keys", broken.error());
  return *std::move(broken);
}

PostgresResult<std::vector<BrokenReference>> find_unvalidated_orphans(Connection& source) {
  return count_orphans(source, "", "false", {});
}

}  // namespace partywall::migrate
