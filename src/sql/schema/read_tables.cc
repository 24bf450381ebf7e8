#include <algorithm>

#include "sql/schema/read_parts.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {

using postgres::Connection;
using postgres::PostgresResult;

namespace {

// $2: the tenant column.
constexpr std::string_view kTablesQuery = R"(
SELECT n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relispartition, c.relrowsecurity,
  c.relforcerowsecurity, coalesce(format_type(t.atttypid, NULL), ''), coalesce(pg_get_expr(f.adbin, f.adrelid), ''),
  ARRAY(SELECT privilege_type FROM aclexplode(c.relacl) WHERE grantee = 0 ORDER BY 1),
  ARRAY(SELECT format('%I.%I', sn.nspname, s.relname)
        FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
          JOIN pg_namespace sn ON sn.oid = s.relnamespace
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass
          AND d.deptype = 'a'
          AND NOT EXISTS (SELECT FROM aclexplode(s.relacl) WHERE grantee = 0 AND privilege_type = 'USAGE')
        ORDER BY 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = $2 AND t.attnum > 0 AND NOT t.attisdropped
  LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = t.attnum
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND )";

TableKind kind_of(std::string_view relkind) {
  if (relkind == "p") return TableKind::kPartitioned;
  return relkind == "f" ? TableKind::kForeign : TableKind::kTable;
}

PostgresResult<> read_policies(Connection& connection, std::vector<TableState>& tables) {
  const auto rows = connection.execute(R"(
SELECT n.nspname, c.relname, p.polname, p.polpermissive, p.polroles = '{0}'::oid[], p.polcmd,
  coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2, 3)");
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto table = std::ranges::find(
        tables, QualifiedName{text(*rows, i, 0), text(*rows, i, 1)}, &TableState::name);
    if (table == tables.end()) continue;
    table->policies.push_back({.name = text(*rows, i, 2),
                               .is_permissive = rows->is_true(i, 3),
                               .is_for_everybody = rows->is_true(i, 4),
                               .command = text(*rows, i, 5),
                               .using_expression = text(*rows, i, 6),
                               .check_expression = text(*rows, i, 7)});
  }
  return {};
}

// What is left out: indexes that no statement uses, because they were never finished, and the parts
// of an index of the parent, which cannot be dropped by themselves.
PostgresResult<> read_indexes(Connection& connection, const std::string& tenant_column,
                              std::vector<TableState>& tables) {
  const auto rows = connection.execute(R"(
SELECT n.nspname, c.relname, x.relname, m.amname, i.indisunique, i.indpred IS NOT NULL, x.relkind = 'I',
  i.indkey[0] = t.attnum, t.attnum = ALL ((i.indkey::smallint[])[0:i.indnkeyatts - 1]),
  EXISTS (SELECT FROM generate_series(1, i.indnkeyatts) k
          WHERE i.indkey[k - 1] <> t.attnum
            AND (pg_index_column_has_property(x.oid, k, 'search_nulls')
                 OR EXISTS (SELECT FROM pg_opclass o JOIN pg_amop s ON s.amopfamily = o.opcfamily
                              JOIN pg_operator p ON p.oid = s.amopopr JOIN pg_proc f ON f.oid = p.oprcode
                            WHERE o.oid = i.indclass[k - 1] AND (s.amoppurpose = 'o' OR f.proleakproof)))),
  ARRAY(SELECT pg_get_indexdef(x.oid, k, false) FROM generate_series(1, i.indnkeyatts) k ORDER BY k),
  coalesce(substring(pg_get_indexdef(x.oid) from ' USING \w+ \((.*)$'), ''),
  coalesce(k.conname, ''), coalesce(k.contype, ' ')
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
  JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = $1 AND t.attnum > 0 AND NOT t.attisdropped
  LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.contype IN ('p', 'u', 'x')
WHERE NOT x.relispartition AND (i.indisvalid OR x.relkind = 'I')
ORDER BY 1, 2, 3)",
                                       {tenant_column});
  if (!rows) return std::unexpected(rows.error());
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto table = std::ranges::find(
        tables, QualifiedName{text(*rows, i, 0), text(*rows, i, 1)}, &TableState::name);
    if (table == tables.end()) continue;
    table->indexes.push_back({.name = text(*rows, i, 2),
                              .method = text(*rows, i, 3),
                              .columns = list(*rows, i, 10),
                              .rest = text(*rows, i, 11),
                              .is_unique = rows->is_true(i, 4),
                              .is_partial = rows->is_true(i, 5),
                              .is_partitioned = rows->is_true(i, 6),
                              .led_by_tenant = rows->is_true(i, 7),
                              .only_tenant = rows->is_true(i, 8),
                              .is_searched_early = rows->is_true(i, 9),
                              .constraint = text(*rows, i, 12),
                              .constraint_kind = rows->text(i, 13).front()});
  }
  return {};
}

}  // namespace

PostgresResult<std::vector<NamespaceState>> read_namespaces(Connection& connection) {
  const auto rows = connection.execute(
      fmt::format(
          R"(SELECT n.nspname, bool_or(a.privilege_type = 'USAGE'), bool_or(a.privilege_type = 'CREATE')
FROM pg_namespace n
  LEFT JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a ON a.grantee = 0
WHERE {} GROUP BY n.nspname ORDER BY 1)",
          kApplicationSchemas),
      {std::string(kRegisterSchema)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<NamespaceState> namespaces;
  for (size_t i = 0; i < rows->size(); ++i) {
    namespaces.push_back({.name = text(*rows, i, 0),
                          .public_usage = rows->is_true(i, 1),
                          .public_create = rows->is_true(i, 2)});
  }
  return namespaces;
}

PostgresResult<std::vector<TableState>> read_tables(Connection& connection,
                                                    const std::string& tenant_column) {
  const auto rows = connection.execute(fmt::format("{} {} AND {} ORDER BY 1, 2", kTablesQuery,
                                                   kApplicationSchemas, kNotOfAnExtension),
                                       {std::string(kRegisterSchema), tenant_column});
  if (!rows) return std::unexpected(rows.error());
  std::vector<TableState> tables;
  for (size_t i = 0; i < rows->size(); ++i) {
    TableState table;
    table.name = {text(*rows, i, 0), text(*rows, i, 1)};
    table.kind = kind_of(rows->text(i, 2));
    table.owner = text(*rows, i, 3);
    table.is_partition = rows->is_true(i, 4);
    table.row_security = rows->is_true(i, 5);
    table.force_row_security = rows->is_true(i, 6);
    table.tenant_type = text(*rows, i, 7);
    table.tenant_default = text(*rows, i, 8);
    table.public_privileges = set_of(*rows, i, 9);
    table.sequences_without_usage = list(*rows, i, 10);
    tables.push_back(std::move(table));
  }
  if (auto policies = read_policies(connection, tables); !policies)
    return std::unexpected(policies.error());
  if (auto indexes = read_indexes(connection, tenant_column, tables); !indexes)
    return std::unexpected(indexes.error());
  return tables;
}

PostgresResult<std::vector<ViewState>> read_views(Connection& connection) {
  const auto rows = connection.execute(fmt::format(R"(
SELECT n.nspname, c.relname, c.relkind = 'm', 'security_invoker=true' = ANY (coalesce(c.reloptions, '{{}}')),
  pg_get_userbyid(c.relowner), r.rolsuper OR r.rolbypassrls,
  array_agg(DISTINCT tn.nspname || chr(1) || t.relname),
  EXISTS (SELECT FROM aclexplode(c.relacl) WHERE grantee = 0 AND privilege_type = 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
  JOIN pg_rewrite w ON w.ev_class = c.oid
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> c.oid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE c.relkind IN ('v', 'm') AND {} AND {}
GROUP BY c.oid, n.oid, r.rolsuper, r.rolbypassrls ORDER BY 1, 2)",
                                                   kApplicationSchemas, kNotOfAnExtension),
                                       {std::string(kRegisterSchema)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<ViewState> views;
  for (size_t i = 0; i < rows->size(); ++i) {
    ViewState view;
    view.name = {text(*rows, i, 0), text(*rows, i, 1)};
    view.is_materialized = rows->is_true(i, 2);
    view.security_invoker = rows->is_true(i, 3);
    view.owner = text(*rows, i, 4);
    view.owner_bypasses_rls = rows->is_true(i, 5);
    for (const std::string& relation : list(*rows, i, 6)) {
      const size_t separator = relation.find('\1');
      view.tables.push_back({relation.substr(0, separator), relation.substr(separator + 1)});
    }
    view.public_may_read = rows->is_true(i, 7);
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace partywall::sql
