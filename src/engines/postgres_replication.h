#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engines/postgres_raw.h"

// A connection to a server's replication side, for logical decoding: commands of the replication
// protocol, then a stream in both directions.
// https://www.postgresql.org/docs/15/protocol-replication.html
namespace partywall::postgres {

class ReplicationConnection {
 public:
  // The user needs REPLICATION. Values are written as every other server reads them (ISO dates, all
  // digits, UTC, UTF-8), whatever the role's settings are.
  static PostgresResult<ReplicationConnection> open(const std::string& connection_string);

  // A command, or one SQL statement. While the server works on it `go_on` is asked again and again;
  // if it says no the command is cancelled, and fails with kTimeout.
  PostgresResult<Rows> command(const std::string& text, const std::function<bool()>& go_on = {},
                               Duration ask_every = milliseconds(250));

  // START_REPLICATION …; from then on only the functions below.
  PostgresResult<> start(const std::string& text);
  // What the server sent next, if it has arrived: the content of one CopyData, which lives until
  // the next call. kClosed: the server ended the stream.
  PostgresResult<std::optional<std::string_view>> receive();
  // One CopyData to the server.
  PostgresResult<> send(std::string_view data);

  // To wait for what receive() reads.
  [[nodiscard]] int socket() const;
  [[nodiscard]] int server_version() const;

 private:
  struct FreeBuffer {
    void operator()(char* buffer) const;
  };
  explicit ReplicationConnection(RawConnection connection) : connection_(std::move(connection)) {}
  void cancel();

  RawConnection connection_;
  std::unique_ptr<char, FreeBuffer> received_;
};

}  // namespace partywall::postgres
