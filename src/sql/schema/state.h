#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

// What the catalogs of a database say, as far as protecting it depends on it. Plain data: the plan
// is a function of it.
namespace partywall::sql {

struct QualifiedName {
  std::string schema;
  std::string name;

  [[nodiscard]] std::string quoted() const;  // "schema"."name"
  [[nodiscard]] std::string shown() const;   // schema.name
  auto operator<=>(const QualifiedName&) const = default;
};

// The user who runs the plan, and the database.
struct DatabaseState {
  std::string name;
  std::string user;
  bool user_is_superuser = false;
  bool user_owns_database = false;
  bool public_may_connect = false;
  bool public_may_create = false;  // schemas
  bool public_may_temp = false;
  std::set<std::string> connect_roles;  // with a grant of their own
  // Login roles that could connect only because everybody could; superusers and slot roles left
  // out.
  std::vector<std::string> roles_that_would_lose_connect;
  // What a session has prepared, with the names.
  bool public_may_list_prepared_statements = false;
  // Views and functions of pg_stat_statements that everybody may use, quoted, with their kind:
  // "TABLE \"public\".\"pg_stat_statements\"".
  std::vector<std::string> readable_statistics;
  // Functions of PostgreSQL's own that tenants need not have and PUBLIC may execute, quoted.
  std::vector<std::string> needless_functions;
};

struct NamespaceState {
  std::string name;
  bool public_usage = false;
  bool public_create = false;
};

struct PolicyState {
  std::string name;
  bool is_permissive = true;
  bool is_for_everybody = false;  // TO PUBLIC
  std::string command;            // "*": ALL; r, a, w, d
  std::string using_expression;   // as pg_get_expr shows it
  std::string check_expression;
};

struct IndexState {
  std::string name;  // in the schema of its table
  std::string method;
  std::vector<std::string> columns;  // quoted, or expressions
  std::string rest;                  // of its definition, after the opening parenthesis
  bool is_unique = false;
  bool is_partial = false;      // has a WHERE
  bool is_partitioned = false;  // has a part in each partition
  bool led_by_tenant = false;
  bool only_tenant = false;  // no other column
  // A condition on another column may come before row-level security: an operator that is
  // leakproof, IS NULL, or an order that the index gives.
  bool is_searched_early = false;
  std::string constraint;      // behind which it is; empty: none
  char constraint_kind = ' ';  // p, u, x
};

enum class TableKind { kTable, kPartitioned, kForeign };

struct TableState {
  QualifiedName name;
  TableKind kind = TableKind::kTable;
  std::string owner;
  bool is_partition = false;
  bool row_security = false;
  bool force_row_security = false;
  std::string tenant_type;     // of the tenant column; empty: there is none
  std::string tenant_default;  // as pg_get_expr shows it; empty: none
  std::vector<PolicyState> policies;
  std::vector<IndexState> indexes;  // of a table with the tenant column; parts of others left out
  std::set<std::string> public_privileges;  // "SELECT", "TRUNCATE", …
  std::vector<std::string>
      sequences_without_usage;  // quoted; behind serial columns, PUBLIC may not use them
};

struct ViewState {
  QualifiedName name;
  bool is_materialized = false;
  bool security_invoker = false;
  bool public_may_read = false;
  std::string owner;
  bool owner_bypasses_rls = false;    // superuser or BYPASSRLS
  std::vector<QualifiedName> tables;  // that it reads directly
};

// The register is judged as a whole: its objects have a seal (a hash of what the catalogs say about
// them, see register_sql.h), and the schema's comment has the seal of the day it was installed.
struct RegisterState {
  bool has_owner_role = false;
  bool user_may_act_as_owner = false;  // member of the owner role, or superuser
  bool has_schema = false;
  std::string comment;  // of the schema
  std::string seal;     // of the objects as they are now
  struct Key {
    uint32_t id = 0;
    std::string fingerprint;  // hexadecimal SHA-256 of both blocks
  };
  std::optional<std::vector<Key>>
      keys;  // nullopt: there is no table yet, or the user may not read it
};

struct SlotState {
  std::string name;
  bool can_login = false;
  bool inherits = false;
  bool is_privileged = false;  // superuser, CREATEDB, CREATEROLE, REPLICATION or BYPASSRLS
  int64_t connection_limit = -1;
  bool expires = false;                 // VALID UNTIL
  std::optional<std::string> verifier;  // of its password; only superusers see it
  bool has_settings = false;            // ALTER ROLE … SET; that of temporary files left out
  std::string temp_file_limit;          // of that setting, as it is written; empty: none
  std::vector<std::string> databases_with_settings;
  std::vector<std::string> member_of;
  std::vector<std::string> members;  // other slot roles that are members of it
  bool may_connect = false;          // granted to itself
  // What takes back its ALTER DEFAULT PRIVILEGES in this database, and whether the user may.
  std::vector<std::string> default_privileges;
  bool user_may_act_as_it = false;
};

struct SchemaState {
  DatabaseState database;
  std::vector<NamespaceState> namespaces;
  std::vector<TableState> tables;
  std::vector<ViewState> views;
  RegisterState tenant_register;
  std::vector<SlotState> slots;
};

}  // namespace partywall::sql
