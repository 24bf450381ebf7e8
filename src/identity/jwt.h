#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tenancy/access.h"

namespace partywall {

// What a verified token says. `tenant` is what the issuer's tenant claim holds: a UUID or a slug.
struct VerifiedJwt {
  std::string issuer;
  std::string subject;
  std::string tenant;
  WallTime expires_at;
};

inline constexpr size_t kMaxJwtLength = 8 * 1024;
inline constexpr Duration kMaxJwtLeeway = minutes(5);

// Verifies JSON Web Tokens in JWS compact form (RFC 7519, 7515, 8725) against the issuers of one
// directory. RS/PS 256-512, ES256, ES384, EdDSA (Ed25519); HS256 only with an "oct" key of at least
// 32 bytes that names it. One algorithm per key: the header may choose a key, never an algorithm.
// Immutable and thread-safe.
class JwtVerifier {
 public:
  // Fails on a key set that cannot be used, naming issuer and key.
  static Result<std::shared_ptr<const JwtVerifier>> create(const std::vector<Issuer>& issuers);
  ~JwtVerifier();

  // Anything wrong with the token is kDenied, with a reason that may be shown to the caller: it is
  // plain ASCII without quotes and holds nothing of the token.
  [[nodiscard]] Result<VerifiedJwt> verify(std::string_view token, WallTime now) const;

 private:
  struct Impl;
  explicit JwtVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall
