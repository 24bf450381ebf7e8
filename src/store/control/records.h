#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "tenancy/directory.h"
#include "tenancy/terms.h"

// What the control store holds of each thing. `version` is the directory's version at which it
// last changed: an ETag, and what an update may insist on.
namespace partywall::store {

struct TierRecord {
  Tier tier;
  uint64_t version = 0;
};

struct CellRecord {
  Cell cell;
  std::string state = "active";  // active, draining or down
  uint32_t max_tenants = 1'000;
  uint32_t tenants = 0;  // placed there now or on their way; only read
  uint64_t version = 0;
};

// One limit of a tenant that differs from its tier's.
struct TermOverride {
  std::string term;  // of term_names()
  JsonValue value;
  std::optional<WallTime> expires_at;  // the control plane removes it then
  std::string reason;

  bool operator==(const TermOverride&) const = default;
};

struct Placement {
  std::string cell;
  std::string cache_instance;              // of the cell's caches; empty: the first, or none
  std::optional<uint32_t> cache_database;  // the first one, where the cell's caches are so shared
  uint32_t cache_databases = 1;            // so many in a row are the tenant's
  std::string cache_tag;                   // in prefix mode; empty: the tenant's id
  CachePlacement cache_placement = CachePlacement::kTagged;

  bool operator==(const Placement&) const = default;
};

// What of a tenant is its own; its effective limits are `effective_tenant`'s.
struct TenantRecord {
  TenantId id;
  std::string slug;
  std::string name;
  std::string tier;
  std::string region;
  TenantStatus status = TenantStatus::kRequested;
  bool legal_hold = false;
  std::optional<WallTime> grace_ends_at;  // while offboarding: erasing may begin then
  std::optional<Placement> placement;
  std::optional<Placement> target;  // where it is going
  std::vector<TermOverride> overrides;
  std::vector<SqlLogin> sql_logins;  // bound ones; `cell` and `database` follow the placement
  std::vector<CacheLogin> cache_logins;
  WallTime created_at;  // set by the store, as the two below
  WallTime updated_at;
  uint64_t version = 0;
};

struct RouteRecord {
  Route route;
  uint64_t version = 0;
};

struct IssuerRecord {
  Issuer issuer;
  uint64_t version = 0;
};

struct ContextKeyRecord {
  ContextKey key;
  int32_t position = 0;  // the lowest one signs
  WallTime created_at;
  uint64_t version = 0;
};

// Logins that belong to no tenant.
struct SqlLoginRecord {
  SqlLogin login;
  uint64_t version = 0;
};

struct CacheLoginRecord {
  CacheLogin login;
  uint64_t version = 0;
};

}  // namespace partywall::store
