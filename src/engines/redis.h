#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "engines/redis_tls.h"

struct redisContext;

// hiredis for the control plane and tools: blocking, one thread at a time, never on a worker's
// thread (the cache door speaks the protocol itself).
namespace partywall::redis {

// What Redis answered. An error of the server is an answer too.
struct Reply {
  enum class Kind { kNil, kText, kNumber, kList, kError };

  Kind kind = Kind::kNil;
  std::string text{};  // kText (simple and bulk strings), kError
  int64_t number = 0;
  std::vector<Reply> items{};

  [[nodiscard]] bool is_ok() const { return kind == Kind::kText && text == "OK"; }
  [[nodiscard]] bool is_error() const { return kind == Kind::kError; }
};

// One line for people: "OK", "(nil)", "7", "error NOPERM …", "[a, b]".
[[nodiscard]] std::string to_string(const Reply& reply);

struct ConnectionSettings {
  Endpoint endpoint;
  std::string user{};  // empty: nobody logs in
  Secret password{};
  std::optional<TlsClientSettings> tls{};
  Duration connect_timeout = seconds(5);
  Duration command_timeout = seconds(10);
};

class Connection {
 public:
  // kDenied: the server refused the login, or is not the one it should be; kUnavailable: there is
  // none.
  static Result<Connection> open(const ConnectionSettings& settings);

  // Arguments may hold any bytes. A failure means that the connection is broken; errors of the
  // server are replies.
  Result<Reply> command(const std::vector<std::string>& words);
  // Several commands in one packet: each send() needs one receive(), in order. What was sent leaves
  // with the first receive(), or when much has gathered.
  Result<> send(const std::vector<std::string>& words);
  Result<Reply> receive();
  // The same as command() where only OK will do: everything else is a failure that names the
  // command, and none of its arguments.
  Result<> expect_ok(const std::vector<std::string>& words);

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  explicit Connection(redisContext* context) : context_(context) {}
  Result<> log_in(const ConnectionSettings& settings);
  Result<> flush();
  Result<size_t> read_some(std::span<char> into);
  [[nodiscard]] std::unexpected<Error> broken(std::string_view why) const;

  std::unique_ptr<redisContext, Free> context_;
  std::optional<TlsSession> tls_;
  std::string unsent_;
  std::string place_;
};

}  // namespace partywall::redis
