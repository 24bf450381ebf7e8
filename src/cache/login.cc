#include "cache/login.h"

#include "base/crypto.h"
#include "identity/context_token.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kDefaultUser = "default";

// One text for a wrong name and a wrong secret: neither is to be guessed alone.
std::unexpected<Error> wrong_password() {
  return fail(ErrorKind::kDenied, "invalid username-password pair or user is disabled.");
}

Result<Login> check_context(const Directory& directory, const CacheLogin* login,
                            std::string_view user, std::string_view token, WallTime now) {
  auto context = verify_context(token, directory.context_keys(), Audience::kCache, now);
  if (!context)
    return fail(ErrorKind::kDenied, "the context is not accepted: {}", context.error().message);
  if (login != nullptr && login->tenant && *login->tenant != context->tenant) {
    return fail(ErrorKind::kDenied,
                "the context is not accepted: it is of another tenant than this login");
  }
  if (directory.find_tenant(context->tenant) == nullptr) {
    return fail(ErrorKind::kDenied, "the context is not accepted: its tenant does not exist");
  }
  return Login{.tenant = context->tenant,
               .user = std::string(user),
               .secret_sha256 = {},
               .expires_at = context->expires_at};
}

}  // namespace

Result<Login> check_login(const Directory& directory, std::string_view user,
                          std::string_view password, WallTime now) {
  const CacheLogin* login = directory.find_cache_login(user);
  if (password.starts_with(kContextPrefix)) {
    if (login == nullptr && user != kDefaultUser) return wrong_password();
    return check_context(directory, login, user, password, now);
  }
  const Sha256Digest digest = sha256(password);
  if (login == nullptr || !login->tenant) return wrong_password();
  const bool equal = constant_time_equal(as_bytes(digest), as_bytes(login->secret_sha256));
  if (!equal || directory.find_tenant(*login->tenant) == nullptr) return wrong_password();
  return Login{.tenant = *login->tenant,
               .user = std::string(user),
               .secret_sha256 = login->secret_sha256,
               .expires_at = {}};
}

Result<Login> check_login(const Directory& directory, std::string_view password, WallTime now) {
  if (password.starts_with(kContextPrefix))
    return check_login(directory, kDefaultUser, password, now);
  const size_t colon = password.find(':');
  if (colon == std::string_view::npos) return wrong_password();
  return check_login(directory, password.substr(0, colon), password.substr(colon + 1), now);
}

bool still_granted(const Directory& directory, const Login& login) {
  if (!login.secret_sha256) return true;  // a context ends by itself
  const CacheLogin* current = directory.find_cache_login(login.user);
  return current != nullptr && current->tenant == login.tenant &&
         current->secret_sha256 == *login.secret_sha256;
}

}  // namespace partywall::cache
