#pragma once

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

// `connection_string` as libpq takes it, with further parameters that win over it. Notices are
// dropped.
[[nodiscard]] PostgresResult<RawConnection> connect(
    const std::string& connection_string,
    const std::vector<std::pair<std::string, std::string>>& more);

// Rows, or the failure that the result is; takes it over.
[[nodiscard]] PostgresResult<Rows> rows_of(pg_conn* connection, pg_result* result);

}  // namespace partywall::postgres
