#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

struct pg_conn;
struct pg_result;

// libpq for the control plane: blocking, one thread at a time, never on a worker's thread (the sql
// door speaks the protocol itself). https://www.postgresql.org/docs/15/libpq.html
namespace partywall::postgres {

// `kind` is derived from the SQLSTATE, `message` is the server's primary message with detail and
// hint. A function that promises Result<> may return it: the SQLSTATE is dropped then.
struct PostgresError : Error {
  std::string sqlstate;  // five characters; empty: the failure is not the server's answer

  PostgresError(ErrorKind error_kind, std::string text, std::string state = "")
      : Error{error_kind, std::move(text)}, sqlstate(std::move(state)) {}
};

template <class T = void>
using PostgresResult = std::expected<T, PostgresError>;

// kDenied for 28xxx and 42501, kUnavailable for 08xxx, 53xxx and 57Pxx, kTimeout for 57014 …
[[nodiscard]] ErrorKind kind_of_sqlstate(std::string_view sqlstate);

// What a statement returned, in text format. Cheap to move; values live as long as it does.
class Rows {
 public:
  explicit Rows(pg_result* result);

  [[nodiscard]] size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] size_t columns() const;
  // The command tag: "SELECT 3", "COMMIT", …
  [[nodiscard]] std::string_view tag() const;
  // Rows that INSERT, UPDATE, DELETE … changed; 0 for other statements.
  [[nodiscard]] uint64_t affected() const;

  // Row and column must exist. NULL is "".
  [[nodiscard]] std::string_view text(size_t row, size_t column = 0) const;
  [[nodiscard]] bool is_null(size_t row, size_t column = 0) const;
  // Of a boolean column.
  [[nodiscard]] bool is_true(size_t row, size_t column = 0) const {
    return text(row, column) == "t";
  }
  // Of an integer column; throws std::invalid_argument for what is not an integer.
  [[nodiscard]] int64_t number(size_t row, size_t column = 0) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

enum class TlsMode { kDisable, kPrefer, kRequire, kVerifyFull };

struct ConnectionSettings {
  Endpoint endpoint;  // a unix socket: "<folder>/.s.PGSQL.<port>"
  std::string database;
  std::string user;
  Secret password;
  TlsMode tls = TlsMode::kPrefer;
  std::string tls_root_certificate;  // file; for kVerifyFull
  std::string application_name = "partywall";
  Duration connect_timeout = seconds(5);  // libpq rounds up to whole seconds, at least 2
  Duration statement_timeout{};           // of the server; 0: none
  // A server that says nothing for so long is given up, and the connection with it: it may have
  // been paused, or cut off without a word. 0: never.
  Duration answer_timeout{};
};

// A value of a statement's $n in text format; nullopt is NULL.
using Parameter = std::optional<std::string>;

class CopyOut;
class CopyIn;

class Connection {
 public:
  static PostgresResult<Connection> open(const ConnectionSettings& settings);
  // A libpq connection string or URI; what it leaves open comes from libpq's environment variables.
  static PostgresResult<Connection> open(const std::string& connection_string);

  // One statement of the extended protocol.
  PostgresResult<Rows> execute(const std::string& sql,
                               const std::vector<Parameter>& parameters = {});
  // One or more statements of the simple protocol; without BEGIN they are one transaction.
  PostgresResult<> execute_script(const std::string& sql);
  // `copy` is COPY … FROM STDIN; `data` is in its format. What is copied appears in no log and no
  // statistics of the server. Returns the number of rows.
  PostgresResult<uint64_t> copy_in(const std::string& copy, std::string_view data);

  // Waits for notifications of the channels that this connection listens to, no longer than
  // `timeout`, or until `wake_descriptor` (an eventfd, which is emptied) can be read. How many
  // came; what they say is dropped, because anybody who may connect can send them.
  PostgresResult<size_t> wait_for_notifications(Duration timeout, int wake_descriptor);

  // Warnings and notices since the last call, as text.
  std::vector<std::string> take_notices();

  [[nodiscard]] bool is_open() const;
  [[nodiscard]] bool in_transaction() const;
  // 150004 for 15.4
  [[nodiscard]] int server_version() const;
  [[nodiscard]] uint32_t backend_pid() const;
  [[nodiscard]] std::string user() const;
  [[nodiscard]] std::string database() const;

 private:
  friend class CopyOut;  // engines/postgres_copy.h
  friend class CopyIn;

  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit Connection(pg_conn* connection);
  static PostgresResult<Connection> check_opened(pg_conn* connection);
  PostgresResult<Rows> check(pg_result* result);
  PostgresResult<Rows> take_answer(int sent);
  PostgresResult<> wait_for_answer();

  std::unique_ptr<pg_conn, Finish> connection_;
  std::unique_ptr<std::vector<std::string>> notices_;  // its address is known to libpq
  Duration answer_timeout_{};
  bool given_up_ = false;
};

// BEGIN … COMMIT; rolled back unless commit() was called and succeeded.
class [[nodiscard]] Transaction {
 public:
  // `options`: "ISOLATION LEVEL SERIALIZABLE", "READ ONLY", …
  static PostgresResult<Transaction> begin(Connection& connection, const std::string& options = "");
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  PostgresResult<> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// "name" with quotes inside doubled; valid for every name, in every setting.
[[nodiscard]] std::string quote_identifier(std::string_view name);
// 'text', or E'text' where it has a backslash: valid with and without standard_conforming_strings.
// `text` must have no zero byte.
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace partywall::postgres
