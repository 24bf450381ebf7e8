#pragma once

#include <string>
#include <vector>

#include "sql/schema/state.h"

// What the catalogs say beyond SchemaState, as far as a rule depends on it. Plain data.
namespace partywall::sql {

// Of a table with the tenant column.
struct TenantTableFacts {
  QualifiedName table;
  bool column_is_required = false;  // NOT NULL
  // A valid index without a WHERE begins with the tenant column; of a partition: its own.
  bool index_led_by_tenant = false;
  std::vector<std::string> rewrite_rules;  // besides views' own
};

// A unique index or exclusion constraint of such a table that leaves out the tenant column.
struct KeyFacts {
  QualifiedName table;
  std::string name;  // of the constraint, else of the index
  bool is_constraint = false;
  bool is_primary = false;
  bool is_exclusion = false;
  std::vector<std::string> columns;  // quoted; empty if it is on expressions
  // The database makes up all its values: identity, nextval, random UUIDs.
  bool is_generated = false;
};

// A foreign key between two such tables that does not pair their tenant columns.
struct ForeignKeyFacts {
  QualifiedName table;
  QualifiedName referenced;
  std::string name;
  std::vector<std::string> columns;             // quoted
  std::vector<std::string> referenced_columns;  // quoted, in the same order
  std::string actions;                          // "ON DELETE CASCADE"; empty: none
};

struct FunctionFacts {
  std::string signature;  // quoted: "public"."f"(integer)
  std::string owner;
  std::string language;
  bool owner_bypasses = false;  // superuser or BYPASSRLS
  bool is_definer = false;
  bool pins_search_path = false;
  bool public_may_execute = false;
  bool fires_as_trigger = false;
  bool language_is_trusted = true;
  bool is_outward = false;  // of dblink
};

struct LoginFacts {
  std::string name;
  bool is_superuser = false;
  bool bypasses = false;          // BYPASSRLS
  std::vector<std::string> owns;  // owners of tenants' tables that it can act as
};

struct SequenceFacts {
  QualifiedName name;
  bool public_update = false;
  bool public_select = false;
  bool public_usage = false;
};

struct PublicationFacts {
  std::string name;
  bool all_tables = false;
  std::vector<QualifiedName> tables;  // without a row filter
};

struct LintFacts {
  std::string tenant_column;
  SchemaState schema;
  std::vector<TenantTableFacts> tenant_tables;
  std::vector<KeyFacts> keys;
  std::vector<ForeignKeyFacts> foreign_keys;
  std::vector<FunctionFacts> functions;
  std::vector<LoginFacts> logins;
  std::vector<SequenceFacts> sequences;
  std::vector<PublicationFacts> publications;
};

}  // namespace partywall::sql
