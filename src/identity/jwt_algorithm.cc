#include "identity/jwt_algorithm.h"

#include <algorithm>
#include <array>
#include <utility>

namespace partywall {
namespace {

using enum JwtAlgorithm;
constexpr std::array<JwtAlgorithmInfo, 10> kAlgorithms = {{
    {kRs256, "RS256", "RSA", "", "SHA256", 0},
    {kRs384, "RS384", "RSA", "", "SHA384", 0},
    {kRs512, "RS512", "RSA", "", "SHA512", 0},
    {kPs256, "PS256", "RSA", "", "SHA256", 0},
    {kPs384, "PS384", "RSA", "", "SHA384", 0},
    {kPs512, "PS512", "RSA", "", "SHA512", 0},
    {kEs256, "ES256", "EC", "P-256", "SHA256", 32},
    {kEs384, "ES384", "EC", "P-384", "SHA384", 48},
    {kEdDsa, "EdDSA", "OKP", "Ed25519", nullptr, 32},
    {kHs256, "HS256", "oct", "", "SHA256", 0},
}};

constexpr bool is_in_order() {
  for (size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (std::to_underlying(kAlgorithms[i].algorithm) != i) return false;
  }
  return true;
}
static_assert(is_in_order(), "describe() finds an algorithm by its number");

template <class Predicate>
const JwtAlgorithmInfo* find_first(Predicate predicate) {
  const auto found = std::ranges::find_if(kAlgorithms, predicate);
  return found == kAlgorithms.end() ? nullptr : &*found;
}

}  // namespace

const JwtAlgorithmInfo* find_jwt_algorithm(std::string_view name) {
  return find_first([&](const JwtAlgorithmInfo& info) { return info.name == name; });
}

const JwtAlgorithmInfo* infer_jwt_algorithm(std::string_view key_type, std::string_view curve) {
  return find_first([&](const JwtAlgorithmInfo& info) {
    return !info.curve.empty() && info.key_type == key_type && info.curve == curve;
  });
}

const JwtAlgorithmInfo& describe(JwtAlgorithm algorithm) {
  return kAlgorithms.at(std::to_underlying(algorithm));
}

}  // namespace partywall
