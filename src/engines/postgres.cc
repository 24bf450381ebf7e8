#include "engines/postgres.h"

#include <cerrno>
#include <charconv>
#include <stdexcept>

#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include "engines/postgres_raw.h"

namespace partywall::postgres {
namespace {

const char* to_libpq(TlsMode mode) {
  switch (mode) {
    case TlsMode::kDisable:
      return "disable";
    case TlsMode::kPrefer:
      return "prefer";
    case TlsMode::kRequire:
      return "require";
    case TlsMode::kVerifyFull:
      return "verify-full";
  }
  return "verify-full";
}

// libpq wants the folder of a unix socket and the number in its name.
std::pair<std::string, std::string> host_and_port(const Endpoint& endpoint) {
  constexpr std::string_view kName = "/.s.PGSQL.";
  if (!endpoint.is_unix()) return {endpoint.address, std::to_string(endpoint.port)};
  const size_t name = endpoint.address.rfind(kName);
  if (name == std::string::npos) return {endpoint.address, "5432"};
  return {endpoint.address.substr(0, name), endpoint.address.substr(name + kName.size())};
}

std::string seconds_of(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

ErrorKind kind_of_sqlstate(std::string_view sqlstate) {
  const std::string_view state_class = sqlstate.substr(0, 2);
  if (state_class == "28" || sqlstate == "42501") return ErrorKind::kDenied;
  if (state_class == "08" || sqlstate.starts_with("57P")) return ErrorKind::kUnavailable;
  if (state_class == "53") return ErrorKind::kLimit;
  if (sqlstate == "57014") return ErrorKind::kTimeout;
  if (sqlstate == "3D000" || sqlstate == "3F000" || sqlstate == "42P01" || sqlstate == "42883" ||
      sqlstate == "42704") {
    return ErrorKind::kNotFound;
  }
  if (state_class == "XX" || state_class == "58") return ErrorKind::kInternal;
  return ErrorKind::kInvalid;
}

Rows::Rows(pg_result* result) : result_(result) {}

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

size_t Rows::size() const { return static_cast<size_t>(PQntuples(result_.get())); }

size_t Rows::columns() const { return static_cast<size_t>(PQnfields(result_.get())); }

std::string_view Rows::tag() const { return PQcmdStatus(result_.get()); }

uint64_t Rows::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string_view Rows::text(size_t row, size_t column) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  if (row >= size() || column >= columns())
    throw std::out_of_range("no such row or column in a result");
  return {PQgetvalue(result_.get(), r, c), static_cast<size_t>(PQgetlength(result_.get(), r, c))};
}

bool Rows::is_null(size_t row, size_t column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

int64_t Rows::number(size_t row, size_t column) const {
  const std::string_view digits = text(row, column);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw std::invalid_argument(fmt::format("\"{}\" in a result is not an integer", digits));
  }
  return value;
}

Connection::Connection(pg_conn* connection)
    : connection_(connection), notices_(std::make_unique<std::vector<std::string>>()) {
  PQsetNoticeProcessor(
      connection,
      [](void* notices, const char* message) {
        static_cast<std::vector<std::string>*>(notices)->push_back(trimmed(message));
      },
      notices_.get());
}

void Connection::Finish::operator()(pg_conn* connection) const { FinishConnection{}(connection); }

PostgresResult<Connection> Connection::open(const ConnectionSettings& settings) {
  const auto [host, port] = host_and_port(settings.endpoint);
  const auto statement_timeout =
      std::chrono::duration_cast<milliseconds>(settings.statement_timeout).count();
  Parameters parameters{
      {"host", host},
      {"port", port},
      {"dbname", settings.database},
      {"user", settings.user},
      {"password", std::string(settings.password.reveal())},
      {"sslmode", to_libpq(settings.tls)},
      {"sslrootcert", settings.tls_root_certificate},
      {"application_name", settings.application_name},
      {"connect_timeout", seconds_of(settings.connect_timeout)},
      {"options", fmt::format("-c statement_timeout={}", statement_timeout)},
      {"client_encoding", "UTF8"},
      {"gssencmode", "disable"},
  };
  parameters.insert(parameters.end(), patience().begin(), patience().end());
  auto connection = check_opened(connect_raw(parameters, DatabaseName::kIsLiteral).release());
  if (connection) connection->answer_timeout_ = settings.answer_timeout;
  return connection;
}

PostgresResult<Connection> Connection::open(const std::string& connection_string) {
  const Parameters more{{"client_encoding", "UTF8"}, {"fallback_application_name", "partywall"}};
  auto opened =
      connect_raw(parameters_of(connection_string, more), DatabaseName::kConnectionString);
  return check_opened(opened.release());
}

PostgresResult<Connection> Connection::check_opened(pg_conn* opened) {
  Connection connection(opened);
  if (PQstatus(opened) == CONNECTION_OK) return connection;
  // libpq tells the SQLSTATE of a refused start-up to nobody; its text names host, port and
  // database.
  return std::unexpected(error_of(opened));
}

PostgresResult<Rows> Connection::check(pg_result* result) {
  if (PQresultStatus(result) != PGRES_COPY_IN) return rows_of(connection_.get(), result);
  PQclear(result);
  PQputCopyEnd(connection_.get(), "COPY is not expected here; use copy_in");
  while (pg_result* rest = PQgetResult(connection_.get())) PQclear(rest);
  return std::unexpected(PostgresError(ErrorKind::kInternal, "COPY FROM STDIN outside copy_in"));
}

PostgresResult<Rows> Connection::execute(const std::string& sql,
                                         const std::vector<Parameter>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const Parameter& parameter : parameters)
    values.push_back(parameter ? parameter->c_str() : nullptr);
  return take_answer(PQsendQueryParams(connection_.get(), sql.c_str(),
                                       static_cast<int>(values.size()), nullptr, values.data(),
                                       nullptr, nullptr, 0));
}

PostgresResult<> Connection::execute_script(const std::string& sql) {
  auto rows = take_answer(PQsendQuery(connection_.get(), sql.c_str()));
  if (!rows) return std::unexpected(rows.error());
  return {};
}

// The last result, or the first failure: what comes after it was skipped by the server.
PostgresResult<Rows> Connection::take_answer(int sent) {
  if (sent != 1) return check(nullptr);
  std::optional<PostgresResult<Rows>> answer;
  while (true) {
    if (auto answered = wait_for_answer(); !answered) return std::unexpected(answered.error());
    pg_result* const result = PQgetResult(connection_.get());
    if (result == nullptr) break;
    auto rows = check(result);
    if (!answer || *answer) answer.emplace(std::move(rows));
    if (PQstatus(connection_.get()) != CONNECTION_OK) break;
  }
  return answer ? *std::move(answer) : check(nullptr);
}

PostgresResult<> Connection::wait_for_answer() {
  if (answer_timeout_ == Duration::zero()) return {};
  const auto deadline = std::chrono::steady_clock::now() + answer_timeout_;
  while (PQisBusy(connection_.get()) != 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      given_up_ = true;
      return std::unexpected(PostgresError(
          ErrorKind::kTimeout,
          fmt::format("PostgreSQL did not answer within {} s", seconds_of(answer_timeout_))));
    }
    if (PQconsumeInput(connection_.get()) == 0) return {};  // the result says what happened
  }
  return {};
}

PostgresResult<size_t> Connection::wait_for_notifications(Duration timeout, int wake_descriptor) {
  const auto take = [this] {
    size_t count = 0;
    while (PGnotify* const notification = PQnotifies(connection_.get())) {
      PQfreemem(notification);
      ++count;
    }
    return count;
  };
  if (const size_t waiting = take(); waiting > 0) return waiting;
  pollfd sources[] = {{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0},
                      {.fd = wake_descriptor, .events = POLLIN, .revents = 0}};
  const auto whole = std::chrono::ceil<milliseconds>(timeout).count();
  (void)::poll(sources, std::size(sources), static_cast<int>(whole));
  if (sources[1].revents != 0) {
    uint64_t count = 0;
    (void)!::read(wake_descriptor, &count, sizeof count);
  }
  if (sources[0].revents != 0 && PQconsumeInput(connection_.get()) == 0) {
    return std::unexpected(
        PostgresError(ErrorKind::kUnavailable, trimmed(PQerrorMessage(connection_.get()))));
  }
  return take();
}

PostgresResult<uint64_t> Connection::copy_in(const std::string& copy, std::string_view data) {
  pg_result* const started = PQexec(connection_.get(), copy.c_str());
  if (PQresultStatus(started) != PGRES_COPY_IN) {
    auto rows = check(started);
    if (!rows) return std::unexpected(rows.error());
    return std::unexpected(PostgresError(ErrorKind::kInternal, "not a COPY … FROM STDIN: " + copy));
  }
  PQclear(started);
  constexpr size_t kChunk = 64 * 1024;
  bool is_whole = true;
  for (size_t sent = 0; sent < data.size(); sent += kChunk) {
    const std::string_view chunk = data.substr(sent, kChunk);
    if (PQputCopyData(connection_.get(), chunk.data(), static_cast<int>(chunk.size())) != 1) {
      is_whole = false;
      break;
    }
  }
  // Ended with a text, the server refuses what it has got: half the rows are never taken for all.
  PQputCopyEnd(connection_.get(), is_whole ? nullptr : "the rows could not all be sent");
  auto rows = check(PQgetResult(connection_.get()));
  while (pg_result* rest = PQgetResult(connection_.get())) PQclear(rest);
  if (!rows) return std::unexpected(rows.error());
  return rows->affected();
}

std::vector<std::string> Connection::take_notices() { return std::exchange(*notices_, {}); }

bool Connection::is_open() const {
  return !given_up_ && PQstatus(connection_.get()) == CONNECTION_OK;
}

bool Connection::in_transaction() const {
  return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
}

int Connection::server_version() const { return PQserverVersion(connection_.get()); }

uint32_t Connection::backend_pid() const {
  return static_cast<uint32_t>(PQbackendPID(connection_.get()));
}

std::string Connection::user() const { return PQuser(connection_.get()); }

std::string Connection::database() const { return PQdb(connection_.get()); }

PostgresResult<Transaction> Transaction::begin(Connection& connection, const std::string& options) {
  auto begun = connection.execute("BEGIN " + options);
  if (!begun) return std::unexpected(begun.error());
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr && connection_->is_open()) (void)connection_->execute("ROLLBACK");
}

PostgresResult<> Transaction::commit() {
  auto committed = std::exchange(connection_, nullptr)->execute("COMMIT");
  if (!committed) return std::unexpected(committed.error());
  // COMMIT of a transaction that has failed rolls back, and is no error for the server.
  if (committed->tag() == "COMMIT") return {};
  return std::unexpected(PostgresError(ErrorKind::kInvalid,
                                       "the transaction had failed and was rolled back", "25P02"));
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string quote_literal(std::string_view text) {
  const bool has_backslash = text.find('\\') != text.npos;
  std::string quoted = has_backslash ? " E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

}  // namespace partywall::postgres
