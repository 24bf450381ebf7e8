#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

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
  Duration connect_timeout = seconds(5);
  Duration command_timeout = seconds(10);
};

class Connection {
 public:
  // kDenied: the server refused the login; kUnavailable: there is no server.
  static Result<Connection> open(const ConnectionSettings& settings);

  // Arguments may hold any bytes. A failure means that the connection is broken; errors of the
  // server are replies.
  Result<Reply> command(const std::vector<std::string>& words);
  // The same where only OK will do: everything else is a failure that names the command, and none
  // of its arguments.
  Result<> expect_ok(const std::vector<std::string>& words);

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  explicit Connection(redisContext* context) : context_(context) {}

  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace partywall::redis
