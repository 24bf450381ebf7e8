#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "tenancy/access.h"

namespace partywall {

// What a token of the built-in issuer says. `tenant` is a UUID or a slug.
struct DevToken {
  std::string tenant;
  std::string subject;
  WallTime issued_at;
  WallTime expires_at;
};

// Issues ES256 tokens, for `partywall up`, tests and benchmarks, so that nobody needs an identity
// provider to try Partywall. Production uses the company's own issuer.
class DevIssuer {
 public:
  // With a new key pair. Throws std::runtime_error if OpenSSL cannot make one.
  static DevIssuer generate(std::string issuer, std::string audience);
  // With the key of an earlier one: PKCS #8 in PEM, not encrypted, on the curve P-256.
  static Result<DevIssuer> from_pem(std::string issuer, std::string audience, const Secret& pem);

  DevIssuer(DevIssuer&&) noexcept;
  DevIssuer& operator=(DevIssuer&&) noexcept;
  ~DevIssuer();

  [[nodiscard]] Secret private_key_pem() const;
  // The public key as a JWK Set; its kid is the key's RFC 7638 thumbprint.
  [[nodiscard]] const std::string& key_set() const;
  // What a directory needs to trust this issuer.
  [[nodiscard]] Issuer trusted() const;
  [[nodiscard]] std::string sign(const DevToken& token) const;

 private:
  struct Impl;
  explicit DevIssuer(std::unique_ptr<Impl> impl);
  static DevIssuer make(std::string issuer, std::string audience, std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall
