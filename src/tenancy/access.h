#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address_block.h"
#include "base/secret.h"
#include "tenancy/tenant.h"

// How callers prove who they are, as data. Checking it is identity/'s work.
namespace partywall {

// Requests whose path starts with `path_prefix` go to `pool` of the tenant's cell; the longest
// prefix wins, and a prefix ends at a '/' boundary.
struct Route {
  std::string path_prefix = "/";
  std::string pool;
  bool authenticated = true;  // false: no tenant is needed, none is passed on
};

// An issuer of JSON Web Tokens that the http door (and the token logins) trust.
struct Issuer {
  std::string issuer;                      // exact value of "iss"
  std::string audience;                    // must be among "aud"
  std::string tenant_claim = "tenant_id";  // name or '.'-separated path
  std::string key_set;                     // JWK Set (RFC 7517) as JSON text
  std::string default_algorithm;           // of RSA keys that name none; empty: those are refused
  Duration leeway = seconds(30);

  bool operator==(const Issuer&) const = default;
};

// HMAC keys of the context token; any of them verifies, the first one signs.
struct ContextKey {
  uint8_t id = 0;
  Secret key;  // 32 bytes
};

enum class LoginClass { kBound, kApplication, kAsserting, kMigration };

// A login at the sql door.
struct SqlLogin {
  std::string user;  // bound logins: "<slug>" or "<slug>.<name>"
  LoginClass login_class = LoginClass::kBound;
  std::string verifier;                 // SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
  std::string database;                 // what the client must name; empty: any
  std::string cell;                     // where it leads; bound logins: their tenant's
  std::optional<TenantId> tenant;       // bound logins
  std::vector<AddressBlock> addresses;  // asserting logins: peers allowed
};

// A tenant's secret at the cache door, hashed; application logins have no tenant and must present a
// context.
struct CacheLogin {
  std::string user;
  std::array<uint8_t, 32> secret_sha256{};  // of a random secret of at least 128 bits
  std::optional<TenantId> tenant;
};

}  // namespace partywall
