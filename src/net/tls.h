#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/tls_settings.h"
#include "net/loop.h"
#include "net/stream.h"

namespace partywall::net {

struct TlsServerSettings {
  std::string certificate_file;  // PEM, the chain with the leaf first
  std::string private_key_file;  // PEM
  std::string client_ca_file;    // PEM; set: a client certificate is required and verified
  std::string alpn;              // comma-separated protocols in order of preference; empty: none
};

// One per worker: OpenSSL 3.0 contends on the locks of a shared SSL_CTX. TLS 1.2 and 1.3.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> server(const TlsServerSettings& settings);
  static Result<std::unique_ptr<TlsContext>> client(const TlsClientSettings& settings);
  ~TlsContext();

  // Does the handshake on a connected plain stream and returns the encrypted one.
  Task<Result<std::unique_ptr<Stream>>> handshake(Loop& loop, std::unique_ptr<Stream> plain,
                                                  Duration timeout);

  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::net
