#include "sql/schema/read_state.h"

#include "sql/schema/read_parts.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;

constexpr std::string_view kDatabaseQuery = R"(
SELECT d.datname, current_user, r.rolsuper, pg_has_role(d.datdba, 'USAGE'),
  EXISTS (SELECT FROM acl WHERE grantee = 0 AND privilege_type = 'CONNECT'),
  EXISTS (SELECT FROM acl WHERE grantee = 0 AND privilege_type = 'CREATE'),
  EXISTS (SELECT FROM acl WHERE grantee = 0 AND privilege_type = 'TEMPORARY'),
  (SELECT array_agg(pg_get_userbyid(grantee)) FROM acl WHERE grantee <> 0 AND privilege_type = 'CONNECT'),
  ARRAY(SELECT l.rolname FROM pg_roles l
        WHERE l.rolcanlogin AND NOT l.rolsuper AND l.rolname <> ALL ($1::text[]) AND l.rolname <> current_user
          AND NOT EXISTS (SELECT FROM acl WHERE grantee <> 0 AND privilege_type = 'CONNECT'
                                            AND pg_has_role(l.oid, grantee, 'USAGE'))
          AND NOT pg_has_role(l.oid, d.datdba, 'USAGE')
        ORDER BY 1),
  EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
          WHERE p.oid = to_regprocedure('pg_catalog.pg_prepared_statement()') AND a.grantee = 0)
FROM pg_database d JOIN pg_roles r ON r.rolname = current_user
WHERE d.datname = current_database())";

constexpr std::string_view kStatisticsQuery = R"(
SELECT format('TABLE %I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname IN ('pg_stat_statements', 'pg_stat_statements_info') AND c.relkind = 'v'
    AND EXISTS (SELECT FROM aclexplode(c.relacl) WHERE grantee = 0)
UNION ALL
SELECT format('FUNCTION %s', p.oid::regprocedure)
  FROM pg_proc p
  WHERE p.proname IN ('pg_stat_statements', 'pg_stat_statements_info')
    AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
ORDER BY 1)";

// They write to the log of all tenants without a row to show for it, and follow the versions of
// rows that row-level security hides.
constexpr std::string_view kNeedlessQuery = R"(
SELECT format('pg_catalog.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('pg_logical_emit_message', 'currtid2')
  AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
ORDER BY 1)";

PostgresResult<DatabaseState> read_database(Connection& connection,
                                            const std::vector<std::string>& slots) {
  const std::string with_acl =
      "WITH acl AS (SELECT a.* FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', "
      "d.datdba))) a "
      "WHERE d.datname = current_database())";
  const auto rows =
      connection.execute(with_acl + std::string(kDatabaseQuery), {to_array_text(slots)});
  if (!rows) return std::unexpected(rows.error());
  DatabaseState state;
  state.name = text(*rows, 0, 0);
  state.user = text(*rows, 0, 1);
  state.user_is_superuser = rows->is_true(0, 2);
  state.user_owns_database = rows->is_true(0, 3);
  state.public_may_connect = rows->is_true(0, 4);
  state.public_may_create = rows->is_true(0, 5);
  state.public_may_temp = rows->is_true(0, 6);
  state.connect_roles = set_of(*rows, 0, 7);
  state.roles_that_would_lose_connect = list(*rows, 0, 8);
  state.public_may_list_prepared_statements = rows->is_true(0, 9);
  const auto statistics = connection.execute(std::string(kStatisticsQuery));
  if (!statistics) return std::unexpected(statistics.error());
  for (size_t i = 0; i < statistics->size(); ++i)
    state.readable_statistics.push_back(text(*statistics, i, 0));
  const auto needless = connection.execute(std::string(kNeedlessQuery));
  if (!needless) return std::unexpected(needless.error());
  for (size_t i = 0; i < needless->size(); ++i)
    state.needless_functions.push_back(text(*needless, i, 0));
  return state;
}

PostgresResult<RegisterState> read_register(Connection& connection) {
  const auto rows = connection.execute(fmt::format(R"(
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $2),
  coalesce((SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = $2), false),
  to_regnamespace($1) IS NOT NULL, coalesce(obj_description(to_regnamespace($1), 'pg_namespace'), ''), ({}),
  coalesce(has_table_privilege(to_regclass($1 || '.register_key'), 'SELECT'), false))",
                                                   seal_query()),
                                       {std::string(kRegisterSchema), std::string(kRegisterOwner)});
  if (!rows) return std::unexpected(rows.error());
  RegisterState state;
  state.has_owner_role = rows->is_true(0, 0);
  state.user_may_act_as_owner = rows->is_true(0, 1);
  state.has_schema = rows->is_true(0, 2);
  state.comment = text(*rows, 0, 3);
  state.seal = text(*rows, 0, 4);
  if (!rows->is_true(0, 5)) return state;
  const auto keys = connection.execute(
      "SELECT key_id, encode(sha256(inner_block || outer_block), 'hex') FROM "
      "partywall.register_key ORDER BY 1");
  if (!keys) return std::unexpected(keys.error());
  state.keys.emplace();
  for (size_t i = 0; i < keys->size(); ++i) {
    state.keys->push_back(
        {.id = static_cast<uint32_t>(keys->number(i, 0)), .fingerprint = text(*keys, i, 1)});
  }
  return state;
}

// Assigns the value of `result` or returns its error from the calling function.
template <class T>
bool take(PostgresResult<T> result, T& target, std::optional<postgres::PostgresError>& error) {
  if (!result) {
    error = result.error();
    return false;
  }
  target = std::move(*result);
  return true;
}

}  // namespace

PostgresResult<SchemaState> read_state(Connection& connection, const ReadStateSettings& settings) {
  if (auto pinned = connection.execute("SET LOCAL search_path = pg_catalog, pg_temp"); !pinned) {
    return std::unexpected(pinned.error());
  }
  SchemaState state;
  std::optional<postgres::PostgresError> error;
  if (!take(read_database(connection, settings.slot_roles), state.database, error)) {
    return std::unexpected(*error);
  }
  const auto access =
      state.database.user_is_superuser ? PasswordAccess::kReadable : PasswordAccess::kHidden;
  const bool complete =
      take(read_namespaces(connection), state.namespaces, error) &&
      take(read_tables(connection, settings.tenant_column), state.tables, error) &&
      take(read_views(connection), state.views, error) &&
      take(read_register(connection), state.tenant_register, error) &&
      take(read_slots(connection, settings.slot_roles, access), state.slots, error);
  if (!complete) return std::unexpected(*error);
  return state;
}

std::string QualifiedName::quoted() const {
  return postgres::quote_identifier(schema) + "." + postgres::quote_identifier(name);
}

std::string QualifiedName::shown() const { return schema + "." + name; }

}  // namespace partywall::sql
