#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engines/postgres_raw.h"

// Many statements on their way at once, for bulk work over one connection: each is sent without
// waiting for the one before it, results come back in the same order.
// https://www.postgresql.org/docs/15/libpq-pipeline-mode.html
//
// After a failure the server skips everything up to the next sync(): so whoever must not have later
// statements run after an earlier one has failed sends no sync() before he has all results.
namespace partywall::postgres {

class Pipeline {
 public:
  // `options`: libpq's "options".
  static PostgresResult<Pipeline> open(const std::string& connection_string,
                                       const std::string& options);

  // Blocking; only before enter().
  PostgresResult<Rows> execute(const std::string& sql);
  PostgresResult<> enter();

  // Each of these gives one result. Nothing blocks: what the server does not take yet is kept.
  PostgresResult<> prepare(const std::string& name, const std::string& sql,
                           std::span<const uint32_t> types);
  // Values in text format, ended by a zero byte; a null pointer is NULL.
  PostgresResult<> execute_prepared(const std::string& name, std::span<const char* const> values);
  PostgresResult<> execute_once(const std::string& sql, std::span<const uint32_t> types,
                                std::span<const char* const> values);
  PostgresResult<> sync();

  // Asks the server to send the results it has; gives none itself.
  PostgresResult<> request_results();
  // Hands over what is kept; true if nothing is left.
  PostgresResult<bool> flush();
  // Reads what has arrived, after which next() finds it.
  PostgresResult<> read();
  // The next result if it is there. A statement that the server skipped because of an earlier
  // failure is a failure with SQLSTATE kSkipped.
  std::optional<PostgresResult<Rows>> next();

  static constexpr std::string_view kSkipped = "skipped";

  [[nodiscard]] int socket() const;

 private:
  explicit Pipeline(RawConnection connection) : connection_(std::move(connection)) {}
  PostgresResult<> sent(int outcome);

  RawConnection connection_;
};

}  // namespace partywall::postgres
