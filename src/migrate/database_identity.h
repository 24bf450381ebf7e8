#pragma once

#include <string>

#include "engines/postgres.h"

namespace partywall::migrate {

// A database among all servers.
struct DatabaseIdentity {
  std::string system;  // pg_control_system().system_identifier
  std::string oid;     // pg_database.oid
  std::string name;
};

// "7401234567890123456/shop/16384"
[[nodiscard]] std::string to_string(const DatabaseIdentity& identity);

// Of the database of a connection.
[[nodiscard]] Result<DatabaseIdentity> read_database_identity(postgres::Connection& connection);

}  // namespace partywall::migrate
