#pragma once

#include <string>

namespace partywall::cli {

enum class TokenKind {
  kContext,  // what the http door hands to the application, for jobs and for trying things out
  kJwt,      // what a client shows at the http door; from the issuer that `partywall up` makes
};

struct TokenRequest {
  TokenKind kind = TokenKind::kContext;
  std::string platform_file{};
  std::string tenant{};          // slug or UUID
  std::string audience = "any";  // of a context: sql, cache or any
  std::string time_to_live = "60s";
  std::string
      issuer_key{};  // of a JWT: PEM file; empty: secrets/issuer.pem beside the platform file
};

// `partywall token create`: prints a token.
int create_token(const TokenRequest& request);

}  // namespace partywall::cli
