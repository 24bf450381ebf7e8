#pragma once

#include <memory>

#include "base/result.h"
#include "fetch/message.h"

namespace partywall::fetch {

// Sends one request at a time and waits for the answer; keeps connections open between requests.
// For control-plane threads and tools, never for a worker thread. Not thread-safe: one per thread.
// Follows no redirects, uses no proxy of the environment, and verifies certificates.
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any HTTP status is an answer, not a failure. kInvalid: the request makes no sense; kTimeout;
  // kLimit: the body is longer than allowed; kUnavailable: everything else that went wrong.
  Result<Response> send(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::fetch
