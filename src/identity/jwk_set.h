#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/verification_key.h"

namespace partywall {

// A key of a JWK Set with the name that tokens choose it by.
struct NamedKey {
  std::string id;  // "kid"; empty: it has none
  VerificationKey key;
};

// Reads a JWK Set (RFC 7517 section 5). Keys of types, curves and uses that we do not verify with
// are skipped, as the RFC asks. kInvalid, naming the key: the text is no JWK Set; a key is
// malformed, too weak, private, does not say its algorithm or contradicts itself; two keys have the
// same kid and algorithm; or no key is left.
//
// `default_algorithm` counts for RSA keys without "alg" (some issuers never name it); empty: such a
// key is refused, because it would fit six algorithms.
Result<std::vector<NamedKey>> parse_jwk_set(std::string_view json,
                                            std::string_view default_algorithm);

}  // namespace partywall
