#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "identity/issuer_verifier.h"
#include "identity/verified_tokens.h"
#include "tenancy/directory.h"

namespace partywall::cache {

// Who a session is, after AUTH.
struct Login {
  TenantId tenant;
  std::string user;  // as the client named itself; "default" if it did not
  // Of a login by secret: it ends when the directory no longer has it so.
  std::optional<std::array<uint8_t, 32>> secret_sha256;
  // Of a login by JSON Web Token: it ends when the directory no longer has the issuer.
  std::string issuer;
  // Of a login by context or JSON Web Token: no request begins later.
  std::optional<WallTime> expires_at;
};

// What logins are checked against, at one moment.
struct LoginAuthority {
  const Directory& directory;
  const IssuerVerifier& issuers;
  VerifiedTokens& tokens;
  WallTime now;
};

// AUTH <user> <password>: the password is the login's secret, a context token or a JSON Web Token.
// A login with a tenant takes tokens of that tenant alone; one without takes any. "default" needs
// no login to present a token, because the token says it all. kDenied with a text for the client.
Result<Login> check_login(const LoginAuthority& authority, std::string_view user,
                          std::string_view password);

// AUTH <password> alone: a token, or "<user>:<secret>" for clients that know no user names.
Result<Login> check_login(const LoginAuthority& authority, std::string_view password);

// Does the directory still grant what the session was given?
bool still_granted(const Directory& directory, const Login& login);

}  // namespace partywall::cache
