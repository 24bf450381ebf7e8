#pragma once

#include <vector>

#include "engines/postgres.h"

namespace partywall::store {

struct SchemaStatus {
  int installed = 0;  // the last migration that was applied; 0: none
  int known = 0;      // the last one of this release
};

// What is there; changes nothing. kConflict if the schema is there but not the control store's: the
// database of a cell has a schema of the same name, which holds the tenant register.
Result<SchemaStatus> schema_status(postgres::Connection& connection);

// Applies what is missing, each migration in a transaction of its own, under an advisory lock: who
// comes second finds nothing to do. Returns the numbers applied. kInvalid, with nothing changed, if
// the database is newer than this release, or PostgreSQL older than 15.
Result<std::vector<int>> migrate(postgres::Connection& connection);

// May this release work with the schema? kInvalid with what to do if not.
Result<> check_schema(postgres::Connection& connection);

// Takes the database from everybody but its owner: other roles of the same server, such as those
// that tenants' sessions run as, cannot even connect.
Result<> close_database(postgres::Connection& connection);

// Lets a role connect, read the directory and report as a node, and nothing else: what
// `partywall serve` needs.
Result<> grant_node_role(postgres::Connection& connection, std::string_view role);

}  // namespace partywall::store
