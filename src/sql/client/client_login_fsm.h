#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "sql/client/login_policy.h"

namespace partywall::sql {

// A client's way in, sans-I/O: start-up packets, the request for encryption, the proof of identity.
class ClientLoginFsm {
 public:
  enum class Action : uint8_t {
    kNeedMore,  // send what is in `out`, read more
    kStartTls,  // send, then do the TLS handshake and go on with start_encrypted()
    kCancel,    // see cancel_request(); then close
    kAdmitted,  // see admission(): nothing has been said to the client about it yet
    kClose,     // send, then close
  };
  enum class Tls : uint8_t { kUnavailable, kOffered, kRequired };

  ClientLoginFsm(net::Peer peer, Tls tls, std::function<LoginAuthority()> authority,
                 Random& random);

  // Takes what it can from the front of `input`, appends what is to be sent.
  Action receive(std::string_view& input, std::string& out);
  // The peer, after the handshake.
  void start_encrypted(net::Peer peer);

  [[nodiscard]] const CancelRequest& cancel_request() const { return cancel_; }
  [[nodiscard]] const Admission& admission() const { return admission_; }
  [[nodiscard]] const StartupRequest& request() const { return request_; }

 private:
  enum class State : uint8_t { kStartup, kSaslFirst, kSaslFinal, kToken, kDone };

  Action on_startup(std::string_view& input, std::string& out);
  Action on_startup_request(std::string& out);
  Action on_password_message(std::string_view& input, std::string& out);
  Action on_sasl_first(std::string_view body, std::string& out);
  Action on_sasl_final(std::string_view body, std::string& out);
  Action finish(std::optional<std::string_view> token, std::string& out);
  Action close(SqlError error, std::string& out);

  net::Peer peer_;
  Tls tls_;
  std::function<LoginAuthority()> authority_;
  Random& random_;
  State state_ = State::kStartup;
  int encryption_requests_ = 0;
  StartupRequest request_;
  std::optional<ScramServerFsm> scram_;
  CancelRequest cancel_;
  Admission admission_;
};

}  // namespace partywall::sql
