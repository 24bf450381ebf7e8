#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/postgres.h"

// What the wrappers of libpq share; not for anybody else.
namespace partywall::postgres {

struct FinishConnection {
  void operator()(pg_conn* connection) const;
};
using RawConnection = std::unique_ptr<pg_conn, FinishConnection>;

// libpq ends its messages with blanks and line ends.
[[nodiscard]] std::string trimmed(const char* message);

[[nodiscard]] PostgresError error_of(const pg_result* result);
// The connection's own failure: the server said nothing, or is gone.
[[nodiscard]] PostgresError error_of(const pg_conn* connection);

using Parameters = std::vector<std::pair<std::string, std::string>>;

// A machine that is gone is noticed in half a minute.
[[nodiscard]] const Parameters& patience();

// What libpq is given, of which the later wins: the defaults, `connection_string` as "dbname", then
// `more`. "options" of `more` come after those of the string (or of PGOPTIONS, where it has none)
// and do not replace them.
[[nodiscard]] Parameters parameters_of(const std::string& connection_string,
                                       const Parameters& more);

// `connection_string` as libpq takes it, with further parameters that win over it. Notices are
// dropped.
[[nodiscard]] PostgresResult<RawConnection> connect(const std::string& connection_string,
                                                    const Parameters& more);
// Of the parameter "dbname".
enum class DatabaseName : uint8_t { kIsLiteral, kConnectionString };

// With these parameters and no others. The connection may have failed.
[[nodiscard]] RawConnection connect_raw(const Parameters& parameters, DatabaseName database);

// Rows, or the failure that the result is; takes it over.
[[nodiscard]] PostgresResult<Rows> rows_of(pg_conn* connection, pg_result* result);

}  // namespace partywall::postgres
