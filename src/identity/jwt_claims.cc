#include "identity/jwt_claims.h"

#include <algorithm>
#include <cmath>

#include "identity/token_refusal.h"

namespace partywall {
namespace {

constexpr size_t kMaxTenantNameLength = 64;

// NumericDate (RFC 7519 section 2): seconds since 1970, fractions allowed. Nothing for other types
// and for times outside the years 1970 to 9999.
std::optional<WallTime> read_date(const JsonValue& value) {
  constexpr double kEnd = 253'402'300'800;  // the beginning of the year 10000
  const auto number = value.as_double();
  if (!number || *number < 0 || *number >= kEnd) return std::nullopt;
  return WallTime(milliseconds(static_cast<int64_t>(*number * 1000)));
}

bool is_meant_for(const JsonValue& audience, std::string_view wanted) {
  if (const std::string* one = audience.as_string()) return *one == wanted;
  const JsonArray* list = audience.as_array();
  const auto is_text = [](const JsonValue& value) { return value.as_string() != nullptr; };
  return list != nullptr && std::ranges::all_of(*list, is_text) &&
         std::ranges::any_of(*list,
                             [&](const JsonValue& value) { return *value.as_string() == wanted; });
}

// "nbf" and "iat", if they are there, must not lie ahead.
Result<> check_not_ahead(const JsonValue& claims, std::string_view name, WallTime now,
                         milliseconds leeway) {
  const JsonValue* value = claims.find(name);
  if (value == nullptr) return {};
  const auto date = read_date(*value);
  if (!date) return denied(fmt::format("the {} of the token is not a time", name));
  if (*date > now + leeway) return denied("the token is not valid yet");
  return {};
}

Result<WallTime> check_expiry(const JsonValue& claims, WallTime now, milliseconds leeway) {
  const JsonValue* value = claims.find("exp");
  const auto expires_at = value ? read_date(*value) : std::nullopt;
  if (!expires_at) return denied("the token does not say when it expires (exp)");
  if (now >= *expires_at + leeway) return denied("the token has expired");
  return *expires_at;
}

}  // namespace

const JsonValue* find_claim(const JsonValue& claims, std::string_view path) {
  if (const JsonValue* whole = claims.find(path)) return whole;
  const JsonValue* value = &claims;
  while (value != nullptr) {
    const size_t dot = path.find('.');
    value = value->find(path.substr(0, dot));
    if (dot == std::string_view::npos) return value;
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

Result<VerifiedJwt> check_claims(const JsonValue& claims, const Issuer& issuer, WallTime now) {
  const auto leeway = std::chrono::duration_cast<milliseconds>(issuer.leeway);
  const std::string* token_issuer = claims.find_string("iss");
  if (token_issuer == nullptr || *token_issuer != issuer.issuer)
    return denied("the issuer (iss) of the token is not trusted");
  const JsonValue* audience = claims.find("aud");
  if (audience == nullptr || !is_meant_for(*audience, issuer.audience)) {
    return denied("the token is meant for another audience (aud)");
  }
  const auto expires_at = check_expiry(claims, now, leeway);
  if (!expires_at) return std::unexpected(expires_at.error());
  for (const std::string_view name : {"nbf", "iat"}) {
    if (auto checked = check_not_ahead(claims, name, now, leeway); !checked)
      return std::unexpected(checked.error());
  }
  const JsonValue* subject = claims.find("sub");
  if (subject != nullptr && subject->as_string() == nullptr)
    return denied("the subject (sub) of the token is not a string");
  const JsonValue* tenant = find_claim(claims, issuer.tenant_claim);
  if (tenant == nullptr || tenant->as_string() == nullptr || tenant->as_string()->empty() ||
      tenant->as_string()->size() > kMaxTenantNameLength) {
    return denied("the token does not name a tenant");
  }
  return VerifiedJwt{.issuer = issuer.issuer,
                     .subject = subject ? *subject->as_string() : std::string(),
                     .tenant = *tenant->as_string(),
                     .expires_at = *expires_at};
}

}  // namespace partywall
