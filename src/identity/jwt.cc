#include "identity/jwt.h"

#include <algorithm>

#include "identity/jwk_set.h"
#include "identity/jws.h"
#include "identity/jwt_claims.h"

namespace partywall {
namespace {

struct TrustedIssuer {
  Issuer settings;
  std::vector<NamedKey> keys;
};

// The one key that the header can mean: of the algorithm it names, and with its kid if it has one.
// nullptr if no key fits, or several do.
const VerificationKey* select_key(const TrustedIssuer& issuer, const Jws& token) {
  const VerificationKey* selected = nullptr;
  for (const NamedKey& candidate : issuer.keys) {
    if (candidate.key.algorithm() != token.algorithm) continue;
    if (token.key_id && candidate.id != *token.key_id) continue;
    if (selected != nullptr) return nullptr;
    selected = &candidate.key;
  }
  return selected;
}

Result<TrustedIssuer> read_issuer(const Issuer& settings) {
  const auto invalid = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, "token issuer '{}': {}", settings.issuer, why);
  };
  if (settings.issuer.empty()) return invalid("'issuer' must not be empty");
  if (settings.audience.empty()) return invalid("'audience' must not be empty");
  if (settings.tenant_claim.empty()) return invalid("'tenant_claim' must not be empty");
  if (settings.leeway < Duration(0) || settings.leeway > kMaxJwtLeeway) {
    return invalid("'leeway' must be 0 to 5 minutes");
  }
  auto keys = parse_jwk_set(settings.key_set, settings.default_algorithm);
  if (!keys) return invalid(keys.error().message);
  return TrustedIssuer{settings, std::move(*keys)};
}

}  // namespace

struct JwtVerifier::Impl {
  std::vector<TrustedIssuer> issuers;

  [[nodiscard]] const TrustedIssuer* find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        issuers, [&](const TrustedIssuer& i) { return i.settings.issuer == name; });
    return found == issuers.end() ? nullptr : &*found;
  }
};

JwtVerifier::JwtVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JwtVerifier::~JwtVerifier() = default;

Result<std::shared_ptr<const JwtVerifier>> JwtVerifier::create(const std::vector<Issuer>& issuers) {
  auto impl = std::make_unique<Impl>();
  for (const Issuer& settings : issuers) {
    auto issuer = read_issuer(settings);
    if (!issuer) return std::unexpected(issuer.error());
    if (impl->find(settings.issuer) != nullptr) {
      return fail(ErrorKind::kInvalid, "token issuer '{}': defined twice", settings.issuer);
    }
    impl->issuers.push_back(std::move(*issuer));
  }
  return std::shared_ptr<const JwtVerifier>(new JwtVerifier(std::move(impl)));
}

Result<VerifiedJwt> JwtVerifier::verify(std::string_view token, WallTime now) const {
  const auto parsed = parse_jws(token, kMaxJwtLength);
  if (!parsed) return std::unexpected(parsed.error());
  // The issuer's name is not proved yet: it only selects whose keys may prove it (RFC 8725
  // section 3.8).
  const std::string* name = parsed->claims.find_string("iss");
  const TrustedIssuer* issuer = name ? impl_->find(*name) : nullptr;
  if (issuer == nullptr)
    return fail(ErrorKind::kDenied, "the issuer (iss) of the token is not trusted");
  const VerificationKey* key = select_key(*issuer, *parsed);
  if (key == nullptr)
    return fail(ErrorKind::kDenied, "no key of the issuer fits the kid and alg of the token");
  if (!key->verify(parsed->signed_text, parsed->signature)) {
    return fail(ErrorKind::kDenied, "the signature of the token is wrong");
  }
  return check_claims(parsed->claims, issuer->settings, now);
}

}  // namespace partywall
