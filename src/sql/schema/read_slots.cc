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
  EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0),
  ARRAY(SELECT d.datname FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE s.setrole = r.oid
        ORDER BY 1),
  ARRAY(SELECT pg_get_userbyid(m.roleid) FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1),
  ARRAY(SELECT pg_get_userbyid(m.member) FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.member
        WHERE m.roleid = r.oid AND o.rolname = ANY ($1::text[]) ORDER BY 1),
  EXISTS (SELECT FROM pg_database d, aclexplode(d.datacl) a
          WHERE d.datname = current_database() AND a.grantee = r.oid AND a.privilege_type = 'CONNECT')
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
    slots.push_back(std::move(slot));
  }
  return slots;
}

}  // namespace partywall::sql
