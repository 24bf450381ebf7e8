#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "tenancy/tenant.h"

// The proof that the sql door shows to PostgreSQL's tenant register (docs/tenant-register.md):
//   key id (4 bytes) | tenant UUID (16) | expiry, Unix time in seconds (8) | backend pid (4) | MAC
//   (32)
// Integers in network order; MAC = HMAC-SHA-256 over the 32 bytes before it. It is passed as the
// one bytea argument, in binary format, of a FunctionCall of kEnterFunction.
namespace partywall::sql {

inline constexpr size_t kRegisterKeyLength = 64;  // one block of SHA-256
inline constexpr size_t kRegisterTokenLength = 64;
inline constexpr Duration kRegisterTokenLifetime = seconds(60);

// Look the OID up on each server connection: SELECT
// pg_catalog.to_regprocedure('partywall.enter(bytea)')::pg_catalog.oid NULL or an error: the
// database has no register; `partywall schema protect` installs it.
inline constexpr std::string_view kEnterFunction = "partywall.enter(bytea)";

struct RegisterTokenClaims {
  TenantId tenant;
  WallTime expires_at;       // rounded down to whole seconds
  uint32_t backend_pid = 0;  // of the server connection: BackendKeyData
};

// The key as the register derives its two blocks from it: keys of any length are made 64 bytes long
// by the rules of HMAC (RFC 2104).
[[nodiscard]] std::string make_register_token(const RegisterTokenClaims& claims, uint32_t key_id,
                                              const Secret& key);

}  // namespace partywall::sql
