#include "migrate/database_identity.h"

#include <fmt/format.h>

namespace partywall::migrate {

std::string to_string(const DatabaseIdentity& identity) {
  return fmt::format("{}/{}/{}", identity.system, identity.name, identity.oid);
}

Result<DatabaseIdentity> read_database_identity(postgres::Connection& connection) {
  const auto rows = connection.execute(
      "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text, oid::text, "
      "datname FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()");
  if (!rows) return fail_with_context("asking which database it is", rows.error());
  return DatabaseIdentity{.system = std::string(rows->text(0, 0)),
                          .oid = std::string(rows->text(0, 1)),
                          .name = std::string(rows->text(0, 2))};
}

}  // namespace partywall::migrate
