#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The signature algorithms that are accepted (RFC 7518 section 3.1, RFC 8037), as one table.
namespace partywall {

enum class JwtAlgorithm : uint8_t {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEdDsa,
  kHs256,
};

struct JwtAlgorithmInfo {
  JwtAlgorithm algorithm;
  std::string_view name;      // as in "alg"
  std::string_view key_type;  // "kty" of the keys it works with
  std::string_view curve;     // their "crv"; empty: no curve
  const char* digest;         // OpenSSL's name; nullptr: part of the algorithm
  size_t number_bytes;        // elliptic curves: size of each of r, s, x, y
};

// nullptr for everything else, "none" included. Names are compared exactly (RFC 7515
// section 4.1.1).
const JwtAlgorithmInfo* find_jwt_algorithm(std::string_view name);

// The one algorithm that keys of this type and curve can have; nullptr if there are several (RSA),
// none, or if it must be named all the same (oct).
const JwtAlgorithmInfo* infer_jwt_algorithm(std::string_view key_type, std::string_view curve);

const JwtAlgorithmInfo& describe(JwtAlgorithm algorithm);

}  // namespace partywall
