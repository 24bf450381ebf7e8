#pragma once

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "identity/jwt.h"
#include "tenancy/access.h"

namespace partywall {

// Checks the claims of a token whose signature is right (RFC 7519 section 4.1) and reads what we
// need. kDenied: "iss", "aud" or "exp" is missing or of the wrong type, the token is expired, not
// yet valid, or for another audience, or the tenant claim is missing.
Result<VerifiedJwt> check_claims(const JsonValue& claims, const Issuer& issuer, WallTime now);

// A claim by the name or the '.'-separated path of the configuration. A member with the whole name
// wins: names like "https://example.com/tenant" are common. nullptr: there is none.
const JsonValue* find_claim(const JsonValue& claims, std::string_view path);

}  // namespace partywall
