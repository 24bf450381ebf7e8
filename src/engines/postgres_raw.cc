#include "engines/postgres_raw.h"

#include <cstdlib>
#include <new>

#include <libpq-fe.h>

namespace partywall::postgres {
namespace {

std::string field(const pg_result* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? "" : value;
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// Of a connection string, or else of the environment, as libpq takes them.
std::string own_options(const std::string& connection_string) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(
      PQconninfoParse(connection_string.c_str(), nullptr));
  for (const PQconninfoOption* one = parsed.get(); one != nullptr && one->keyword != nullptr;
       ++one) {
    if (std::string_view(one->keyword) == "options" && one->val != nullptr) return one->val;
  }
  const char* const environment = std::getenv("PGOPTIONS");
  return environment == nullptr ? "" : environment;
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

const Parameters& patience() {
  static const Parameters kPatience{{"keepalives_idle", "10"},
                                    {"keepalives_interval", "5"},
                                    {"keepalives_count", "3"},
                                    {"tcp_user_timeout", "25000"}};
  return kPatience;
}

Parameters parameters_of(const std::string& connection_string, const Parameters& more) {
  Parameters parameters = patience();
  parameters.emplace_back("connect_timeout", "10");
  parameters.emplace_back("dbname", connection_string);
  for (const auto& [name, value] : more) {
    const std::string before = name == "options" ? own_options(connection_string) : "";
    parameters.emplace_back(name, before.empty() ? value : before + " " + value);
  }
  return parameters;
}

RawConnection connect_raw(const Parameters& parameters, DatabaseName database) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  const int expand = database == DatabaseName::kConnectionString ? 1 : 0;
  RawConnection connection(PQconnectdbParams(names.data(), values.data(), expand));
  if (!connection) throw std::bad_alloc();
  return connection;
}

PostgresResult<RawConnection> connect(const std::string& connection_string,
                                      const Parameters& more) {
  RawConnection connection =
      connect_raw(parameters_of(connection_string, more), DatabaseName::kConnectionString);
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
