#include "engines/postgres_replication.h"

#include <libpq-fe.h>
#include <poll.h>

#include "engines/postgres_settings.h"

namespace partywall::postgres {
void ReplicationConnection::FreeBuffer::operator()(char* buffer) const { PQfreemem(buffer); }

PostgresResult<ReplicationConnection> ReplicationConnection::open(
    const std::string& connection_string) {
  auto connection = connect(connection_string, {{"replication", "database"},
                                                {"client_encoding", "UTF8"},
                                                {"fallback_application_name", "partywall"},
                                                {"options", std::string(kPortableValues)}});
  if (!connection) return std::unexpected(connection.error());
  return ReplicationConnection(*std::move(connection));
}

PostgresResult<Rows> ReplicationConnection::command(const std::string& text,
                                                    const std::function<bool()>& go_on,
                                                    Duration ask_every) {
  pg_conn* const connection = connection_.get();
  const auto ask_every_ms = static_cast<int>(std::chrono::ceil<milliseconds>(ask_every).count());
  if (PQsendQuery(connection, text.c_str()) != 1) return std::unexpected(error_of(connection));
  bool is_cancelled = false;
  while (PQisBusy(connection) != 0) {
    pollfd waiting{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, go_on && !is_cancelled ? ask_every_ms : -1);
    if (ready > 0 && PQconsumeInput(connection) == 0) break;
    if (go_on && !is_cancelled && !go_on()) {
      cancel();
      is_cancelled = true;
    }
  }
  std::optional<PostgresResult<Rows>> answer;
  while (pg_result* const result = PQgetResult(connection)) {
    auto rows = rows_of(connection, result);
    if (!answer || *answer) answer.emplace(std::move(rows));
    if (PQstatus(connection) != CONNECTION_OK) break;
  }
  return answer ? *std::move(answer) : rows_of(connection, nullptr);
}

void ReplicationConnection::cancel() {
  char reason[256];
  PGcancel* const request = PQgetCancel(connection_.get());
  if (request == nullptr) return;
  PQcancel(request, reason, sizeof reason);
  PQfreeCancel(request);
}

PostgresResult<> ReplicationConnection::start(const std::string& text) {
  pg_result* const result = PQexec(connection_.get(), text.c_str());
  if (result != nullptr && PQresultStatus(result) == PGRES_COPY_BOTH) {
    PQclear(result);
    return {};
  }
  auto rows = rows_of(connection_.get(), result);
  if (!rows) return std::unexpected(rows.error());
  return std::unexpected(PostgresError(ErrorKind::kInternal, "no stream follows " + text));
}

PostgresResult<std::optional<std::string_view>> ReplicationConnection::receive() {
  received_.reset();
  char* data = nullptr;
  int length = PQgetCopyData(connection_.get(), &data, 1);
  if (length == 0) {
    if (PQconsumeInput(connection_.get()) == 0) return std::unexpected(error_of(connection_.get()));
    length = PQgetCopyData(connection_.get(), &data, 1);
  }
  received_.reset(data);
  if (length > 0) return std::string_view(data, static_cast<size_t>(length));
  if (length == 0) return std::nullopt;
  if (length == -2) return std::unexpected(error_of(connection_.get()));
  auto rows = rows_of(connection_.get(), PQgetResult(connection_.get()));
  if (!rows) return std::unexpected(rows.error());
  return std::unexpected(
      PostgresError(ErrorKind::kClosed, "the server ended the replication stream"));
}

PostgresResult<> ReplicationConnection::send(std::string_view data) {
  if (PQputCopyData(connection_.get(), data.data(), static_cast<int>(data.size())) != 1 ||
      PQflush(connection_.get()) < 0) {
    return std::unexpected(error_of(connection_.get()));
  }
  return {};
}

int ReplicationConnection::socket() const { return PQsocket(connection_.get()); }

int ReplicationConnection::server_version() const { return PQserverVersion(connection_.get()); }

}  // namespace partywall::postgres
