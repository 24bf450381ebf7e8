#include "engines/postgres_pipeline.h"

#include <libpq-fe.h>

namespace partywall::postgres {
namespace {

constexpr int kTextResults = 0;

}  // namespace

PostgresResult<Pipeline> Pipeline::open(const std::string& connection_string,
                                        const std::string& options) {
  auto connection = connect(connection_string, {{"client_encoding", "UTF8"},
                                                {"fallback_application_name", "partywall"},
                                                {"options", options}});
  if (!connection) return std::unexpected(connection.error());
  return Pipeline(*std::move(connection));
}

PostgresResult<Rows> Pipeline::execute(const std::string& sql) {
  return rows_of(connection_.get(), PQexec(connection_.get(), sql.c_str()));
}

PostgresResult<> Pipeline::enter() {
  if (PQenterPipelineMode(connection_.get()) == 1 && PQsetnonblocking(connection_.get(), 1) == 0)
    return {};
  return std::unexpected(error_of(connection_.get()));
}

PostgresResult<> Pipeline::sent(int outcome) {
  if (outcome == 1) return {};
  return std::unexpected(error_of(connection_.get()));
}

PostgresResult<> Pipeline::prepare(const std::string& name, const std::string& sql,
                                   std::span<const uint32_t> types) {
  return sent(PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(),
                            static_cast<int>(types.size()), types.data()));
}

PostgresResult<> Pipeline::execute_prepared(const std::string& name,
                                            std::span<const char* const> values) {
  return sent(PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                  values.data(), nullptr, nullptr, kTextResults));
}

PostgresResult<> Pipeline::execute_once(const std::string& sql, std::span<const uint32_t> types,
                                        std::span<const char* const> values) {
  return sent(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                types.data(), values.data(), nullptr, nullptr, kTextResults));
}

PostgresResult<> Pipeline::sync() { return sent(PQpipelineSync(connection_.get())); }

PostgresResult<> Pipeline::request_results() { return sent(PQsendFlushRequest(connection_.get())); }

PostgresResult<bool> Pipeline::flush() {
  const int outcome = PQflush(connection_.get());
  if (outcome < 0) return std::unexpected(error_of(connection_.get()));
  return outcome == 0;
}

PostgresResult<> Pipeline::read() { return sent(PQconsumeInput(connection_.get())); }

std::optional<PostgresResult<Rows>> Pipeline::next() {
  // Each statement's results end with a null pointer, a sync's result does not; two null pointers
  // after each other mean that nothing is on its way.
  for (int ends = 0; ends < 2;) {
    if (PQisBusy(connection_.get()) != 0) return std::nullopt;
    pg_result* const result = PQgetResult(connection_.get());
    if (result == nullptr) {
      ++ends;
      continue;
    }
    switch (PQresultStatus(result)) {
      case PGRES_PIPELINE_SYNC:
        return Rows(result);
      case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        return std::unexpected(PostgresError(
            ErrorKind::kInvalid, "skipped after an earlier failure", std::string(kSkipped)));
      default:
        return rows_of(connection_.get(), result);
    }
  }
  return std::nullopt;
}

int Pipeline::socket() const { return PQsocket(connection_.get()); }

}  // namespace partywall::postgres
