#include "sql/lint/read_facts.h"

#include "sql/schema/read_state.h"

namespace partywall::sql {

using postgres::Connection;
using postgres::PostgresResult;

PostgresResult<LintFacts> read_facts(Connection& connection, const std::string& tenant_column) {
  LintFacts facts;
  facts.tenant_column = tenant_column;
  auto schema = read_state(connection, {.tenant_column = tenant_column, .slot_roles = {}});
  if (!schema) return std::unexpected(schema.error());
  facts.schema = *std::move(schema);
  for (const auto part : {read_tenant_tables, read_keys, read_foreign_keys, read_functions,
                          read_logins, read_sequences, read_publications}) {
    if (auto done = part(connection, facts); !done) return std::unexpected(done.error());
  }
  return facts;
}

}  // namespace partywall::sql
