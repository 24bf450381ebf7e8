#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engines/postgres.h"

// COPY as a stream: what is moved is never held whole.
// https://www.postgresql.org/docs/15/libpq-copy.html
namespace partywall::postgres {

// COPY … TO STDOUT. The connection must outlive it, and is of no more use if it is left before the
// end.
class CopyOut {
 public:
  static PostgresResult<CopyOut> begin(Connection& connection, const std::string& copy);
  CopyOut(CopyOut&& other) noexcept
      : connection_(other.connection_), piece_(std::exchange(other.piece_, nullptr)) {}
  CopyOut& operator=(CopyOut&&) = delete;
  ~CopyOut();

  // The next message of the server, which today holds one row; valid until the next call. Nothing:
  // the end, and COPY succeeded.
  PostgresResult<std::optional<std::string_view>> next();

 private:
  explicit CopyOut(Connection& connection) : connection_(&connection) {}
  void release();

  Connection* connection_;
  char* piece_ = nullptr;  // libpq's
};

// COPY … FROM STDIN. The connection must outlive it; without finish() nothing is copied, and the
// connection is of no more use.
class CopyIn {
 public:
  static PostgresResult<CopyIn> begin(Connection& connection, const std::string& copy);

  // At most 1 GiB at once. Waits while the server is not ready for more.
  PostgresResult<> write(std::string_view data);
  // The number of rows that were copied.
  PostgresResult<uint64_t> finish();

 private:
  explicit CopyIn(Connection& connection) : connection_(&connection) {}

  Connection* connection_;
};

}  // namespace partywall::postgres
