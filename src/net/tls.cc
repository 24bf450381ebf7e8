#include "net/tls.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/event.h"
#include "net/timer.h"
#include "net/tls_bio.h"

namespace partywall::net {
namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

// RFC 7301 section 3.1: each name with its length in front.
std::string encode_alpn(std::string_view comma_separated) {
  std::string wire;
  while (!comma_separated.empty()) {
    const size_t comma = std::min(comma_separated.find(','), comma_separated.size());
    wire += static_cast<char>(comma);
    wire += comma_separated.substr(0, comma);
    comma_separated.remove_prefix(std::min(comma + 1, comma_separated.size()));
  }
  return wire;
}

std::string subject_of(SSL* ssl) {
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long length = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<size_t>(length)};
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> plain, SSL* ssl) : plain_(std::move(plain)), ssl_(ssl) {
    BIO* const bio = make_stream_bio(*plain_);
    SSL_set_bio(ssl_.get(), bio, bio);  // the SSL owns it
    peer_ = plain_->peer();
    peer_.encrypted = true;
  }

  IoResult read(std::span<char> into) override {
    size_t count = 0;
    ERR_clear_error();
    const bool ok = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count) == 1;
    // Bytes that OpenSSL has taken from the socket already would not wake anybody.
    may_hold_more_ = ok;
    return ok ? IoResult{IoStatus::kOk, count} : failed(read_waits_for_write_);
  }

  IoResult write(std::string_view bytes) override {
    if (bytes.empty()) return {};
    size_t count = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1)
      return {IoStatus::kOk, count};
    return failed(write_waits_for_write_);
  }

  void arm_read(Event& event) override {
    if (may_hold_more_ && SSL_has_pending(ssl_.get()) == 1) {
      event.set();
    } else if (read_waits_for_write_) {
      plain_->arm_write(event);
    } else {
      plain_->arm_read(event);
    }
  }

  void arm_write(Event& event) override {
    if (write_waits_for_write_) {
      plain_->arm_write(event);
    } else {
      plain_->arm_read(event);
    }
  }

  void disarm() override { plain_->disarm(); }

  void leave() override { plain_->leave(); }
  void join(Loop& loop) override { plain_->join(loop); }

  void shutdown_write() override {
    ERR_clear_error();
    SSL_shutdown(
        ssl_.get());  // close_notify if there is room; the end of the stream follows anyway
    plain_->shutdown_write();
  }

  void close() override {
    closed_ = true;
    plain_->close();
  }

  [[nodiscard]] const Peer& peer() const override { return peer_; }

  // Handshake: kOk when done.
  IoResult advance_handshake() {
    ERR_clear_error();
    if (SSL_do_handshake(ssl_.get()) == 1) {
      peer_.certificate_subject = subject_of(ssl_.get());
      return {};
    }
    return failed(handshake_waits_for_write_);
  }

  void arm_handshake(Event& event) {
    if (handshake_waits_for_write_) {
      plain_->arm_write(event);
    } else {
      plain_->arm_read(event);
    }
  }

 private:
  struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  // Why the last call did not succeed; `waits_for_write` says what it waits for.
  IoResult failed(bool& waits_for_write) {
    if (closed_) return {IoStatus::kError};
    const int error = SSL_get_error(ssl_.get(), 0);
    waits_for_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
      return {IoStatus::kWouldBlock};
    return {error == SSL_ERROR_ZERO_RETURN ? IoStatus::kEnd : IoStatus::kError};
  }

  std::unique_ptr<Stream> plain_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  Peer peer_;
  bool may_hold_more_ = false;
  bool read_waits_for_write_ = false;
  bool write_waits_for_write_ = true;
  bool handshake_waits_for_write_ = false;
  bool closed_ = false;
};

}  // namespace

struct TlsContext::Impl {
  struct ContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  std::unique_ptr<SSL_CTX, ContextDeleter> ssl_context;
  bool is_server = false;
  std::string alpn;         // RFC 7301 wire form
  std::string server_name;  // client side
};

namespace {

std::unexpected<Error> unusable(std::string_view file) {
  return fail(ErrorKind::kInvalid, "{}: OpenSSL cannot use it: {}", file, openssl_reason());
}

int select_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
                const unsigned char* offered, unsigned offered_length, void* wire) {
  const auto& ours = *static_cast<const std::string*>(wire);
  const int outcome =
      SSL_select_next_proto(const_cast<unsigned char**>(chosen), chosen_length,
                            reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_length);
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::unique_ptr<TlsContext::Impl> make_context(const SSL_METHOD* method) {
  auto impl = std::make_unique<TlsContext::Impl>();
  impl->ssl_context.reset(SSL_CTX_new(method));
  if (!impl->ssl_context)
    throw std::runtime_error("OpenSSL cannot make a TLS context: " + openssl_reason());
  SSL_CTX* const context = impl->ssl_context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A renegotiation would let a peer make us compute, and a compressed secret can be guessed.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  return impl;
}

Result<> use_certificate(SSL_CTX* context, const std::string& certificate,
                         const std::string& private_key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return unusable(certificate);
  if (SSL_CTX_use_PrivateKey_file(context, private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return unusable(private_key);
  }
  return {};
}

Result<> require_client_certificate(SSL_CTX* context, const std::string& authorities) {
  if (SSL_CTX_load_verify_file(context, authorities.c_str()) != 1) return unusable(authorities);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities.c_str()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::server(const TlsServerSettings& settings) {
  auto impl = make_context(TLS_server_method());
  SSL_CTX* const context = impl->ssl_context.get();
  impl->is_server = true;
  if (auto used = use_certificate(context, settings.certificate_file, settings.private_key_file);
      !used) {
    return std::unexpected(used.error());
  }
  if (!settings.client_ca_file.empty()) {
    if (auto required = require_client_certificate(context, settings.client_ca_file); !required) {
      return std::unexpected(required.error());
    }
  }
  impl->alpn = encode_alpn(settings.alpn);
  if (!impl->alpn.empty()) SSL_CTX_set_alpn_select_cb(context, &select_alpn, &impl->alpn);
  return std::make_unique<TlsContext>(std::move(impl));
}

Result<std::unique_ptr<TlsContext>> TlsContext::client(const TlsClientSettings& settings) {
  auto impl = make_context(TLS_client_method());
  SSL_CTX* const context = impl->ssl_context.get();
  const bool loaded = settings.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) == 1;
  if (!loaded)
    return unusable(settings.ca_file.empty() ? "the system's certificate authorities"
                                             : settings.ca_file);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!settings.certificate_file.empty()) {
    if (auto used = use_certificate(context, settings.certificate_file, settings.private_key_file);
        !used) {
      return std::unexpected(used.error());
    }
  }
  impl->server_name = settings.server_name;
  return std::make_unique<TlsContext>(std::move(impl));
}

Task<Result<std::unique_ptr<Stream>>> TlsContext::handshake(Loop& loop,
                                                            std::unique_ptr<Stream> plain,
                                                            Duration timeout) {
  SSL* const ssl = SSL_new(impl_->ssl_context.get());
  if (!ssl)
    co_return fail(ErrorKind::kUnavailable, "OpenSSL cannot start a TLS connection: {}",
                   openssl_reason());
  if (impl_->is_server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    if (!impl_->server_name.empty()) {
      SSL_set_tlsext_host_name(ssl, impl_->server_name.c_str());
      SSL_set1_host(ssl, impl_->server_name.c_str());
    }
  }
  Event ready(loop);
  Timer deadline(loop.timers(), ready);
  deadline.arm(loop.now() + timeout);
  auto stream = std::make_unique<TlsStream>(std::move(plain), ssl);
  while (true) {
    const IoResult step = stream->advance_handshake();
    if (step.ok()) co_return stream;
    if (step.closed()) {
      co_return fail(ErrorKind::kClosed, "{}: the TLS handshake failed: {}",
                     stream->peer().endpoint.to_string(), openssl_reason());
    }
    if (deadline.fired()) {
      co_return fail(ErrorKind::kTimeout, "{}: the TLS handshake took too long",
                     stream->peer().endpoint.to_string());
    }
    stream->arm_handshake(ready);
    co_await ready.wait();
  }
}

}  // namespace partywall::net
