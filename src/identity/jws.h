#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "identity/jwt_algorithm.h"

namespace partywall {

// A JSON Web Signature in compact form, taken apart; nothing is verified yet.
struct Jws {
  JwtAlgorithm algorithm;
  std::optional<std::string> key_id;
  JsonValue claims;              // an object
  std::string_view signed_text;  // what the signature covers; points into the token
  std::string signature;         // raw
};

// kDenied: not in the compact form of exactly three canonical base64url parts; header or claims are
// not strict JSON objects; the algorithm is "none" or any other that is not supported; the header
// brings its own key ("jku", "jwk", "x5u", "x5c"), has "crit" extensions, or says that the token is
// no JWT.
Result<Jws> parse_jws(std::string_view token, size_t max_length);

}  // namespace partywall
