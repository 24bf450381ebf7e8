#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "identity/jwt_algorithm.h"

namespace partywall {

inline constexpr int kMinRsaBits = 2048;  // RFC 7518 section 3.3
inline constexpr int kMaxRsaBits = 8192;  // verifying takes longer with the square of the size
inline constexpr size_t kMinHmacKeyBytes = 32;  // RFC 7518 section 3.2

// A key together with the one algorithm that it may be used with (RFC 8725 sections 3.1 and 3.2).
// All byte strings are raw, numbers in network order. Immutable; many threads may verify at once.
class VerificationKey {
 public:
  // kInvalid: the key is too weak, too large or not one. `algorithm` must be one of RSA.
  static Result<VerificationKey> rsa(JwtAlgorithm algorithm, std::string_view modulus,
                                     std::string_view exponent);
  // ES256 or ES384; the point must be on the curve.
  static Result<VerificationKey> elliptic(JwtAlgorithm algorithm, std::string_view x,
                                          std::string_view y);
  static Result<VerificationKey> ed25519(std::string_view public_key);
  static Result<VerificationKey> hmac_sha256(std::string_view secret);

  VerificationKey(VerificationKey&&) noexcept;
  VerificationKey& operator=(VerificationKey&&) noexcept;
  ~VerificationKey();

  [[nodiscard]] JwtAlgorithm algorithm() const;
  // `signature` in the form of JWS: r and s one after the other for elliptic curves.
  [[nodiscard]] bool verify(std::string_view message, std::string_view signature) const;

 private:
  struct Impl;
  explicit VerificationKey(std::unique_ptr<Impl> impl);
  static Result<VerificationKey> make(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall
