#pragma once

#include "engines/postgres.h"
#include "sql/lint/facts.h"

namespace partywall::sql {

// Reads the catalogs within the open transaction. Needs no rights but to connect.
postgres::PostgresResult<LintFacts> read_facts(postgres::Connection& connection,
                                               const std::string& tenant_column);

// Its parts.
postgres::PostgresResult<> read_tenant_tables(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_keys(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_foreign_keys(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_functions(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_logins(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_sequences(postgres::Connection& connection, LintFacts& facts);
postgres::PostgresResult<> read_publications(postgres::Connection& connection, LintFacts& facts);

}  // namespace partywall::sql
