#include "identity/issuer_verifier.h"

#include <utility>

namespace partywall {

Result<IssuerVerifier> IssuerVerifiers::of(const std::vector<Issuer>& issuers) {
  if (current_.verifier && issuers == issuers_) return current_;
  auto verifier = JwtVerifier::create(issuers);
  if (!verifier) return std::unexpected(verifier.error());
  issuers_ = issuers;
  current_ = {.verifier = std::move(*verifier), .generation = current_.generation + 1};
  return current_;
}

}  // namespace partywall
