#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/tls_settings.h"

struct ssl_st;

namespace partywall::redis {

// TLS over a connected, blocking socket that has time-outs. hiredis as Debian 12 has it knows none.
class TlsSession {
 public:
  // `socket` stays the caller's, and must stay open as long as this. kDenied: the server is not who
  // it should be.
  static Result<TlsSession> start(int socket, const TlsClientSettings& settings);

  Result<size_t> read(std::span<char> into);
  Result<> write(std::string_view bytes);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  explicit TlsSession(ssl_st* ssl) : ssl_(ssl) {}

  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace partywall::redis
