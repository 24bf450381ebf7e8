#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "identity/jwt_algorithm.h"

namespace partywall {

// Signs anything with any accepted algorithm, for tests: what a careless or hostile issuer could
// send.
class JwtSigner {
 public:
  // A new key; for RSA the same one for the same id, because making it takes a tenth of a second.
  explicit JwtSigner(JwtAlgorithm algorithm, std::string key_id = "key-1",
                     unsigned rsa_bits = 2048);
  ~JwtSigner();
  JwtSigner(const JwtSigner&) = delete;
  JwtSigner& operator=(const JwtSigner&) = delete;

  // The members of the public JWK (of the secret for HS256), without braces: `"kty":"EC",…`.
  [[nodiscard]] const std::string& jwk_members() const { return jwk_members_; }
  // A JWK Set of this key alone, with kid and alg.
  [[nodiscard]] std::string key_set() const;

  // A token of these texts, whatever they are.
  [[nodiscard]] std::string token(std::string_view header, std::string_view claims) const;
  // The same with the usual header.
  [[nodiscard]] std::string token(std::string_view claims) const;
  [[nodiscard]] std::string signature(std::string_view signed_text) const;  // raw
  // RSA-PSS with a salt of any length.
  [[nodiscard]] std::string pss_signature(std::string_view signed_text, int salt_bytes) const;
  [[nodiscard]] std::string header() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  JwtAlgorithm algorithm_;
  std::string key_id_;
  std::string jwk_members_;
};

}  // namespace partywall
