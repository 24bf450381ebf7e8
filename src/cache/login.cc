#include "cache/login.h"

#include <algorithm>

#include "base/crypto.h"
#include "identity/context_token.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kDefaultUser = "default";

// One text for a wrong name and a wrong secret: neither is to be guessed alone.
std::unexpected<Error> wrong_password() {
  return fail(ErrorKind::kDenied, "invalid username-password pair or user is disabled.");
}

// A login with a tenant takes the tokens of that tenant alone.
Result<> check_tenant(const Directory& directory, const CacheLogin* login, TenantId tenant,
                      std::string_view token) {
  if (login != nullptr && login->tenant && *login->tenant != tenant) {
    return fail(ErrorKind::kDenied,
                "the {} is not accepted: it is of another tenant than this login", token);
  }
  if (directory.find_tenant(tenant) == nullptr)
    return fail(ErrorKind::kDenied, "the {} is not accepted: its tenant does not exist", token);
  return {};
}

Result<Login> check_context(const LoginAuthority& authority, const CacheLogin* login,
                            std::string_view user, std::string_view token) {
  const Directory& directory = authority.directory;
  auto context = verify_context(token, directory.context_keys(), Audience::kCache, authority.now);
  if (!context)
    return fail(ErrorKind::kDenied, "the context is not accepted: {}", context.error().message);
  if (auto fits = check_tenant(directory, login, context->tenant, "context"); !fits)
    return std::unexpected(fits.error());
  return Login{.tenant = context->tenant,
               .user = std::string(user),
               .secret_sha256 = {},
               .issuer = {},
               .expires_at = context->expires_at};
}

Result<Login> check_jwt(const LoginAuthority& authority, const CacheLogin* login,
                        std::string_view user, std::string_view token) {
  if (authority.issuers.verifier == nullptr)
    return fail(ErrorKind::kDenied, "no issuer of tokens is configured");
  const auto jwt = authority.tokens.verify(*authority.issuers.verifier,
                                           authority.issuers.generation, token, authority.now);
  if (!jwt) return fail(ErrorKind::kDenied, "the token is not accepted: {}", jwt.error().message);
  const Tenant* tenant = authority.directory.find_tenant_by_name((*jwt)->tenant);
  if (tenant == nullptr)
    return fail(ErrorKind::kDenied, "the token is not accepted: its tenant does not exist");
  if (auto fits = check_tenant(authority.directory, login, tenant->id, "token"); !fits)
    return std::unexpected(fits.error());
  return Login{.tenant = tenant->id,
               .user = std::string(user),
               .secret_sha256 = {},
               .issuer = (*jwt)->issuer,
               .expires_at = (*jwt)->expires_at};
}

bool is_secret_of(const CacheLogin* login, std::string_view password) {
  const Sha256Digest digest = sha256(password);
  return login != nullptr && login->tenant &&
         constant_time_equal(as_bytes(digest), as_bytes(login->secret_sha256));
}

// A JWS in compact form (RFC 7515): three parts, of which the first is JSON in base64url.
bool looks_like_jwt(std::string_view password) {
  return password.starts_with("ey") && std::ranges::count(password, '.') == 2;
}

}  // namespace

Result<Login> check_login(const LoginAuthority& authority, std::string_view user,
                          std::string_view password) {
  const CacheLogin* login = authority.directory.find_cache_login(user);
  const bool known = login != nullptr || user == kDefaultUser;
  if (password.starts_with(kContextPrefix)) {
    if (!known) return wrong_password();
    return check_context(authority, login, user, password);
  }
  if (is_secret_of(login, password)) {
    if (authority.directory.find_tenant(*login->tenant) == nullptr) return wrong_password();
    return Login{.tenant = *login->tenant,
                 .user = std::string(user),
                 .secret_sha256 = login->secret_sha256,
                 .issuer = {},
                 .expires_at = {}};
  }
  if (known && looks_like_jwt(password)) return check_jwt(authority, login, user, password);
  return wrong_password();
}

Result<Login> check_login(const LoginAuthority& authority, std::string_view password) {
  if (password.starts_with(kContextPrefix) || looks_like_jwt(password))
    return check_login(authority, kDefaultUser, password);
  const size_t colon = password.find(':');
  if (colon == std::string_view::npos) return wrong_password();
  return check_login(authority, password.substr(0, colon), password.substr(colon + 1));
}

bool still_granted(const Directory& directory, const Login& login) {
  if (!login.issuer.empty())
    return std::ranges::find(directory.issuers(), login.issuer, &Issuer::issuer) !=
           directory.issuers().end();
  if (!login.secret_sha256) return true;  // a context ends by itself
  const CacheLogin* current = directory.find_cache_login(login.user);
  return current != nullptr && current->tenant == login.tenant &&
         current->secret_sha256 == *login.secret_sha256;
}

}  // namespace partywall::cache
