#include "engines/postgres_copy.h"

#include <libpq-fe.h>

namespace partywall::postgres {
namespace {

PostgresError unexpected_start(const std::string& copy) {
  return {ErrorKind::kInternal, "the server did not begin to copy after: " + copy};
}

}  // namespace

PostgresResult<CopyOut> CopyOut::begin(Connection& connection, const std::string& copy) {
  pg_result* const started = PQexec(connection.connection_.get(), copy.c_str());
  if (PQresultStatus(started) == PGRES_COPY_OUT) {
    PQclear(started);
    return CopyOut(connection);
  }
  auto rows = connection.check(started);
  return std::unexpected(rows ? unexpected_start(copy) : rows.error());
}

CopyOut::~CopyOut() { release(); }

void CopyOut::release() {
  if (piece_ != nullptr) PQfreemem(std::exchange(piece_, nullptr));
}

PostgresResult<std::optional<std::string_view>> CopyOut::next() {
  release();
  pg_conn* const libpq = connection_->connection_.get();
  const int length = PQgetCopyData(libpq, &piece_, 0);
  if (length > 0) return std::string_view(piece_, static_cast<size_t>(length));
  // -1: all was sent, and the result says whether it succeeded; -2: the connection failed.
  auto rows = connection_->check(length == -1 ? PQgetResult(libpq) : nullptr);
  if (!rows) return std::unexpected(rows.error());
  while (pg_result* rest = PQgetResult(libpq)) PQclear(rest);
  return std::nullopt;
}

PostgresResult<CopyIn> CopyIn::begin(Connection& connection, const std::string& copy) {
  pg_result* const started = PQexec(connection.connection_.get(), copy.c_str());
  if (PQresultStatus(started) == PGRES_COPY_IN) {
    PQclear(started);
    return CopyIn(connection);
  }
  auto rows = connection.check(started);
  return std::unexpected(rows ? unexpected_start(copy) : rows.error());
}

PostgresResult<> CopyIn::write(std::string_view data) {
  pg_conn* const libpq = connection_->connection_.get();
  if (PQputCopyData(libpq, data.data(), static_cast<int>(data.size())) == 1) return {};
  // The server's reason, if it is still to be had, says more than that it does not listen.
  auto rows = connection_->check(PQgetResult(libpq));
  if (!rows) return std::unexpected(rows.error());
  return std::unexpected(PostgresError(ErrorKind::kUnavailable, "the server takes no more rows"));
}

PostgresResult<uint64_t> CopyIn::finish() {
  pg_conn* const libpq = connection_->connection_.get();
  if (PQputCopyEnd(libpq, nullptr) != 1) {
    auto failed = connection_->check(nullptr);
    return std::unexpected(failed.error());
  }
  auto rows = connection_->check(PQgetResult(libpq));
  while (pg_result* rest = PQgetResult(libpq)) PQclear(rest);
  if (!rows) return std::unexpected(rows.error());
  return rows->affected();
}

}  // namespace partywall::postgres
