#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as PostgreSQL uses them: the user name
// in the messages is ignored, the one of the start-up packet counts. Both sides are sans-I/O: they
// take the text of one SASL message and return the text of the next.
//
// Failures: kInvalid is a message that breaks the protocol (SQLSTATE 08P01), kDenied a wrong
// password or an unknown user, which look the same (28P01).
namespace partywall {

inline constexpr std::string_view kScramMechanism = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlusMechanism = "SCRAM-SHA-256-PLUS";
inline constexpr uint32_t kDefaultScramIterations = 4096;   // what PostgreSQL uses
inline constexpr uint32_t kMaxScramIterations = 1'000'000;  // a server cannot make us work longer
inline constexpr size_t kMaxScramMessageLength = 1024;      // bytes, either direction

// What a server stores for a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`,
// the form of pg_authid.rolpassword. Nobody can log in with it, but whoever knows it and overhears
// an exchange can: treat it as a secret.
struct ScramVerifier {
  uint32_t iterations = kDefaultScramIterations;
  std::string salt;  // raw bytes
  Sha256Digest stored_key{};
  Sha256Digest server_key{};
  bool is_mock = false;  // stands in for an unknown user: every proof is denied

  static Result<ScramVerifier> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
};

// Fails on an empty password and on characters outside printable ASCII: those would need SASLprep
// (RFC 4013), without which clients that apply it could not log in.
Result<ScramVerifier> make_scram_verifier(std::string_view password, std::string_view salt,
                                          uint32_t iterations = kDefaultScramIterations);
// With a fresh salt of 16 bytes.
Result<ScramVerifier> make_scram_verifier(std::string_view password, Random& random);

// The verifier for a user that does not exist. The same name always gets the same salt, so that
// asking twice does not tell either. `mock_key`: a secret of the node, stable over restarts, the
// same on all nodes.
[[nodiscard]] ScramVerifier make_mock_scram_verifier(std::string_view user, const Secret& mock_key,
                                                     uint32_t iterations = kDefaultScramIterations);

// What to check `user` against: the stored verifier, or the mock where there is none or where it
// cannot be read. Does the same work in both cases.
[[nodiscard]] ScramVerifier select_scram_verifier(std::optional<std::string_view> stored,
                                                  std::string_view user, const Secret& mock_key);

// 24 random bytes in base64, PostgreSQL's size.
[[nodiscard]] std::string make_scram_nonce(Random& random);

// The channel binding data of type tls-server-end-point (RFC 5929): the hash of the server's
// certificate. Empty: the connection has no TLS, or binding is not wanted, and -PLUS is not
// offered.
struct ScramChannelBinding {
  std::string server_end_point;

  [[nodiscard]] bool available() const { return !server_end_point.empty(); }
};

// The server's side of one exchange: respond_to_first, then respond_to_final. After a failure, and
// after the end, every further call fails.
class ScramServerFsm {
 public:
  ScramServerFsm(ScramVerifier verifier, ScramChannelBinding binding, std::string nonce);

  // `mechanism`: what the client chose in SASLInitialResponse.
  Result<std::string> respond_to_first(std::string_view mechanism, std::string_view client_first);
  // On success the client is who it claims to be, and the answer (server-final-message) proves that
  // we hold the verifier.
  Result<std::string> respond_to_final(std::string_view client_final);

  [[nodiscard]] bool is_authenticated() const { return state_ == State::kAuthenticated; }

 private:
  enum class State { kExpectFirst, kExpectFinal, kAuthenticated, kFailed };

  Result<std::string> answer_first(std::string_view mechanism, std::string_view client_first);
  Result<std::string> answer_final(std::string_view client_final);
  Result<> check_binding_flag(std::string_view mechanism, std::string_view flag) const;
  [[nodiscard]] bool is_proof_right(std::string_view proof, std::string_view auth_message) const;

  ScramVerifier verifier_;
  ScramChannelBinding binding_;
  std::string nonce_;         // ours, then the client's followed by ours
  std::string gs2_header_;    // as the client sent it
  std::string auth_message_;  // grows with the exchange (RFC 5802 section 3)
  State state_ = State::kExpectFirst;
};

// What a client may keep in memory instead of deriving it again at each connection (PBKDF2 takes
// milliseconds): valid for one salt and iteration count. As secret as the password.
struct ScramClientKeys {
  std::string salt;  // raw bytes
  uint32_t iterations = 0;
  Secret client_key;
  Secret server_key;
};

// Fails like make_scram_verifier on a password that it cannot use.
Result<ScramClientKeys> derive_scram_client_keys(const Secret& password, std::string_view salt,
                                                 uint32_t iterations);

// The client's side of one exchange: first_message, respond_to_first, check_final. After a failure
// every further call fails.
class ScramClientFsm {
 public:
  // `cached` is used if the server still names its salt and iterations; otherwise the keys are
  // derived from the password (which costs PBKDF2: milliseconds of CPU).
  // `max_iterations`: a server that asks for more is refused.
  ScramClientFsm(Secret password, std::optional<ScramClientKeys> cached,
                 ScramChannelBinding binding, std::string nonce,
                 uint32_t max_iterations = kMaxScramIterations);

  // Of the mechanisms that the server offers: -PLUS where the binding is available.
  Result<std::string_view> choose_mechanism(const std::vector<std::string>& offered);
  // client-first-message; call it after choose_mechanism.
  Result<std::string> first_message();
  // Takes server-first-message, returns client-final-message.
  Result<std::string> respond_to_first(std::string_view server_first);
  // Takes server-final-message: success means that the server knows our password's verifier.
  Result<> check_final(std::string_view server_final);

  // The keys in use, to be cached once check_final succeeded.
  [[nodiscard]] const ScramClientKeys& keys() const { return keys_; }

 private:
  enum class State {
    kExpectMechanisms,
    kSendFirst,
    kExpectServerFirst,
    kExpectServerFinal,
    kDone,
    kFailed
  };

  Result<std::string> answer_first(std::string_view server_first);

  Secret password_;
  ScramClientKeys keys_;
  ScramChannelBinding binding_;
  std::string nonce_;
  uint32_t max_iterations_;
  std::string_view mechanism_;
  std::string gs2_header_;
  std::string auth_message_;
  State state_ = State::kExpectMechanisms;
};

}  // namespace partywall
