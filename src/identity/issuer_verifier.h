#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "identity/jwt.h"
#include "tenancy/access.h"

namespace partywall {

// What verifies the tokens of a directory's issuers. `generation` is another one for each set of
// issuers, for VerifiedTokens.
struct IssuerVerifier {
  std::shared_ptr<const JwtVerifier> verifier;  // nullptr: no token is accepted
  uint64_t generation = 0;
};

// Makes it for one directory after the other. Key sets are read again only when they changed, so
// that a change of a tenant does not throw away the tokens that were verified. One thread at a
// time.
class IssuerVerifiers {
 public:
  // Fails on a key set that cannot be used; the next call reads it again.
  Result<IssuerVerifier> of(const std::vector<Issuer>& issuers);

 private:
  std::vector<Issuer> issuers_;
  IssuerVerifier current_;
};

}  // namespace partywall
