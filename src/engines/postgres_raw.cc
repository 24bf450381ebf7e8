#include "engines/postgres_raw.h"

#include <libpq-fe.h>

namespace partywall::postgres {
namespace {

std::string field(const pg_result* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? "" : value;
}

}  // namespace

void FinishConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

std::string trimmed(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

PostgresError error_of(const pg_result* result) {
  const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = trimmed(PQresultErrorMessage(result));
  if (const auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty())
    message += ": " + detail;
  if (const auto hint = field(result, PG_DIAG_MESSAGE_HINT); !hint.empty())
    message += " (" + hint + ")";
  const ErrorKind kind = sqlstate.empty() ? ErrorKind::kUnavailable : kind_of_sqlstate(sqlstate);
  return {kind, std::move(message), sqlstate};
}

PostgresError error_of(const pg_conn* connection) {
  return {ErrorKind::kUnavailable, trimmed(PQerrorMessage(connection))};
}

PostgresResult<RawConnection> connect(
    const std::string& connection_string,
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<const char*> names{"dbname"};
  std::vector<const char*> values{connection_string.c_str()};
  for (const auto& [name, value] : more) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  RawConnection connection(PQconnectdbParams(names.data(), values.data(), 1));
  if (!connection) throw std::bad_alloc();
  if (PQstatus(connection.get()) != CONNECTION_OK)
    return std::unexpected(error_of(connection.get()));
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

PostgresResult<Rows> rows_of(pg_conn* connection, pg_result* result) {
  if (result == nullptr) return std::unexpected(error_of(connection));
  Rows rows(result);
  switch (PQresultStatus(result)) {
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      return rows;
    default:
      return std::unexpected(error_of(result));
  }
}

}  // namespace partywall::postgres
