#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engines/postgres.h"
#include "sql/schema/plan.h"
#include "tenancy/cell.h"

// `partywall schema protect`: installs the tenant register, the slot roles and row-level security
// on every table that has a tenant column. Idempotent: a second run finds nothing to do, and a run
// after somebody has changed something puts it right. docs/schema-protect.md is for its users.
namespace partywall::sql {

// A key of the tenant register; the sql door signs with the one that its cell names.
struct RegisterKey {
  uint32_t id = 1;
  Secret key;  // 64 bytes
};

struct ProtectSettings {
  // The keys that are valid afterwards; two while rotating. Empty: those in the database stay.
  std::vector<RegisterKey> keys;
  // The roles of the door's server connections. An empty password: none are made or changed.
  SlotRoles slots;
  bool allow_temp = false;  // tenants may create temporary tables
  // Roles that may connect besides the slot roles, the user who runs this and the database's owner:
  // migration logins. They must exist.
  std::vector<std::string> connect_roles;
  std::string tenant_column = "tenant_id";  // of type uuid
  // What a slot role's sorts, joins and cursors may write to temporary files. Only a superuser can
  // set it. 0: what the server says.
  uint32_t temp_file_limit_mib = 1024;
  // How long to wait for a table that is in use; statements that come after wait for us that long.
  Duration lock_timeout = seconds(10);
};

// From what the directory says about a cell: its key, its slot roles, its owner role.
[[nodiscard]] ProtectSettings protect_settings_of(const SqlBackend& backend);

// Reads the catalogs and decides; changes nothing.
Result<SchemaPlan> plan_protection(postgres::Connection& connection,
                                   const ProtectSettings& settings);

// Plans and carries out, in one transaction, under a lock that keeps a second run waiting.
// Afterwards it plans again: if anything is left to do (a right was missing, somebody interfered)
// everything is rolled back. Returns the plan that was carried out.
//
// The user needs: to own the tables (or be a member of their owners), CREATE and GRANT rights on
// the database (its owner has them), and CREATEROLE. A superuser has all that.
Result<SchemaPlan> protect_database(postgres::Connection& connection,
                                    const ProtectSettings& settings);

// The same in two parts, for whoever changes more in the same transaction; it must be rolled back
// if a part fails. The first takes the lock and sets the limit on waiting for tables, the second
// plans and carries out.
Result<> begin_protection(postgres::Connection& connection, const ProtectSettings& settings);
Result<SchemaPlan> finish_protection(postgres::Connection& connection,
                                     const ProtectSettings& settings);

// Runs a step, with what is left out of its text.
Result<> carry_out(postgres::Connection& connection, const SchemaStep& step);

// Puts one slot role right, as protect_database would: a tenant may have changed its password or
// settings. The user needs CREATEROLE (from PostgreSQL 16 on also ADMIN on the role). `number` is
// 1 … slots.count.
Result<> mend_slot(postgres::Connection& connection, const SlotRoles& slots, uint32_t number);

// Ends the server process of a slot role, if it is still there: a statement can go on for ever
// after its connection was closed, whatever cancels come. The user needs to be a member of
// pg_signal_backend.
Result<bool> end_left_over(postgres::Connection& connection, const SlotRoles& slots,
                           uint32_t number, uint32_t pid);

}  // namespace partywall::sql
