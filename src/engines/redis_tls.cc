#include "engines/redis_tls.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace partywall::redis {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "the server closed the connection, or did not answer in time";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Result<Context> make_context(const TlsClientSettings& settings) {
  Context context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_AUTO_RETRY);
  const bool trusts = settings.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                          : SSL_CTX_load_verify_file(context.get(), settings.ca_file.c_str()) == 1;
  if (!trusts) return fail(ErrorKind::kInvalid, "{}: {}", settings.ca_file, reason());
  if (settings.certificate_file.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(context.get(), settings.certificate_file.c_str()) != 1)
    return fail(ErrorKind::kInvalid, "{}: {}", settings.certificate_file, reason());
  if (SSL_CTX_use_PrivateKey_file(context.get(), settings.private_key_file.c_str(),
                                  SSL_FILETYPE_PEM) != 1) {
    return fail(ErrorKind::kInvalid, "{}: {}", settings.private_key_file, reason());
  }
  return context;
}

}  // namespace

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Result<TlsSession> TlsSession::start(int socket, const TlsClientSettings& settings) {
  auto context = make_context(settings);
  if (!context) return std::unexpected(context.error());
  TlsSession session(SSL_new(context->get()));
  SSL* const ssl = session.ssl_.get();
  if (!settings.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl, settings.server_name.c_str());
    SSL_set1_host(ssl, settings.server_name.c_str());
  }
  ERR_clear_error();
  if (SSL_set_fd(ssl, socket) != 1 || SSL_connect(ssl) != 1)
    return fail(ErrorKind::kDenied, "the TLS handshake failed: {}", reason());
  return session;
}

Result<size_t> TlsSession::read(std::span<char> into) {
  size_t count = 0;
  ERR_clear_error();
  if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &count) == 1) return count;
  return fail(ErrorKind::kUnavailable, "{}", reason());
}

Result<> TlsSession::write(std::string_view bytes) {
  size_t count = 0;
  ERR_clear_error();
  if (bytes.empty() || SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1) return {};
  return fail(ErrorKind::kUnavailable, "{}", reason());
}

}  // namespace partywall::redis
