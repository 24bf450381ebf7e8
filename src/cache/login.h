#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "tenancy/directory.h"

namespace partywall::cache {

// Who a session is, after AUTH.
struct Login {
  TenantId tenant;
  std::string user;  // as the client named itself; "default" if it did not
  // Of a login by secret: it ends when the directory no longer has it so.
  std::optional<std::array<uint8_t, 32>> secret_sha256;
  // Of a login by context: no request begins later.
  std::optional<WallTime> expires_at;
};

// AUTH <user> <password>: the password is the login's secret, or a context token. A login with a
// tenant takes contexts of that tenant alone; one without takes any. "default" needs no login to
// present a context, because the context says it all. kDenied with a text for the client.
Result<Login> check_login(const Directory& directory, std::string_view user,
                          std::string_view password, WallTime now);

// AUTH <password> alone: a context token, or "<user>:<secret>" for clients that know no user names.
Result<Login> check_login(const Directory& directory, std::string_view password, WallTime now);

// Does the directory still grant what the session was given?
bool still_granted(const Directory& directory, const Login& login);

}  // namespace partywall::cache
