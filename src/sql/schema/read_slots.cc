#include "sql/schema/read_parts.h"

namespace partywall::sql {

using postgres::Connection;
using postgres::PostgresResult;

namespace {

// $1: the names. {}: how to read the verifier.
constexpr std::string_view kSlotsQuery = R"(
SELECT r.rolname, r.rolcanlogin, r.rolinherit,
  r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
  r.rolconnlimit, coalesce(r.rolvaliduntil < 'infinity', false), {},
  EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
          WHERE s.setrole = r.oid AND s.setdatabase = 0 AND NOT starts_with(c, 'temp_file_limit=')),
  ARRAY(SELECT d.datname FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE s.setrole = r.oid
        ORDER BY 1),
  ARRAY(SELECT pg_get_userbyid(m.roleid) FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1),
  ARRAY(SELECT pg_get_userbyid(m.member) FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.member
        WHERE m.roleid = r.oid AND o.rolname = ANY ($1::text[]) ORDER BY 1),
  EXISTS (SELECT FROM pg_database d, aclexplode(d.datacl) a
          WHERE d.datname = current_database() AND a.grantee = r.oid AND a.privilege_type = 'CONNECT'),
  coalesce((SELECT substr(c, length('temp_file_limit=') + 1) FROM pg_db_role_setting s, unnest(s.setconfig) c
            WHERE s.setrole = r.oid AND s.setdatabase = 0 AND starts_with(c, 'temp_file_limit=')), ''),
  ARRAY(SELECT statement FROM pg_default_acl d
          CROSS JOIN LATERAL (VALUES ('ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(r.rolname)
            || coalesce(' IN SCHEMA ' || (SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = d.defaclnamespace), ''),
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
              WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END)) AS w(whose, what)
          CROSS JOIN LATERAL (
            SELECT DISTINCT 1, format('%s REVOKE ALL ON %s FROM %s', whose, what, CASE x.grantee WHEN 0 THEN 'PUBLIC'
                     ELSE quote_ident(pg_get_userbyid(x.grantee)) END)
              FROM aclexplode(d.defaclacl) x WHERE x.grantee <> r.oid OR d.defaclnamespace <> 0
            UNION ALL
            SELECT 2, format('%s GRANT ALL ON %s TO %I', whose, what, r.rolname) WHERE d.defaclnamespace = 0
            UNION ALL
            SELECT 3, format('%s GRANT %s ON %s TO PUBLIC', whose, CASE d.defaclobjtype WHEN 'f' THEN 'EXECUTE' ELSE 'USAGE' END, what)
              WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')) AS s(place, statement)
        WHERE d.defaclrole = r.oid ORDER BY d.oid, s.place, statement),
  pg_has_role(r.oid, 'MEMBER')
FROM pg_roles r WHERE r.rolname = ANY ($1::text[]) ORDER BY 1)";

}  // namespace

PostgresResult<std::vector<SlotState>> read_slots(Connection& connection,
                                                  const std::vector<std::string>& names,
                                                  PasswordAccess access) {
  constexpr std::string_view kVerifier =
      "(SELECT rolpassword FROM pg_authid a WHERE a.oid = r.oid)";
  const std::string sql = std::string(kSlotsQuery)
                              .replace(kSlotsQuery.find("{}"), 2,
                                       access == PasswordAccess::kReadable ? kVerifier : "NULL");
  const auto rows = connection.execute(sql, {to_array_text(names)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<SlotState> slots;
  for (size_t i = 0; i < rows->size(); ++i) {
    SlotState slot;
    slot.name = text(*rows, i, 0);
    slot.can_login = rows->is_true(i, 1);
    slot.inherits = rows->is_true(i, 2);
    slot.is_privileged = rows->is_true(i, 3);
    slot.connection_limit = rows->number(i, 4);
    slot.expires = rows->is_true(i, 5);
    if (!rows->is_null(i, 6)) slot.verifier = text(*rows, i, 6);
    slot.has_settings = rows->is_true(i, 7);
    slot.databases_with_settings = list(*rows, i, 8);
    slot.member_of = list(*rows, i, 9);
    slot.members = list(*rows, i, 10);
    slot.may_connect = rows->is_true(i, 11);
    slot.temp_file_limit = text(*rows, i, 12);
    slot.default_privileges = list(*rows, i, 13);
    slot.user_may_act_as_it = rows->is_true(i, 14);
    slots.push_back(std::move(slot));
  }
  return slots;
}

}  // namespace partywall::sql
