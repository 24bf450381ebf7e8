#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strong_id.h"
#include "base/uuid.h"
#include "tenancy/limits.h"

namespace partywall {

using TenantId = StrongId<Uuid, struct TenantIdTag>;

// Dense number of a tenant within this process, for arrays of counters and limiter states. It stays
// the same over all directories of the process and is never given to another tenant.
using TenantNumber = StrongId<uint32_t, struct TenantNumberTag>;

enum class TenantStatus {
  kRequested,
  kProvisioning,
  kActive,
  kReadOnly,
  kSuspended,
  kOffboarding,
  kErasing,
  kErased,
};

std::string_view to_string(TenantStatus status);
Result<TenantStatus> parse_tenant_status(std::string_view text);

// May the tenant's requests be served at all (active and read-only ones may)?
constexpr bool is_served(TenantStatus status) {
  return status == TenantStatus::kActive || status == TenantStatus::kReadOnly;
}

// Where a Redis Cluster puts the keys of a tenant in prefix mode.
enum class CachePlacement {
  kTagged,  // all in one slot, by a hash tag: transactions, scripts and commands on several keys
            // work
  kSpread,  // over all slots: a tenant may be larger than one node
};

struct Tier {
  std::string name;
  Limits limits;
  AlarmThresholds alarms;
  uint32_t weight = 1;  // share in fair queues, 1..1000

  bool operator==(const Tier&) const = default;
};

struct Tenant {
  TenantId id;
  TenantNumber number;
  std::string slug;  // 1-40 of a-z 0-9 '-', starts with a letter, does not end with '-'
  std::string name;  // for people
  std::string tier;
  std::string cell;    // the placement: which cell serves the tenant now
  std::string region;  // required region, empty: anywhere
  TenantStatus status = TenantStatus::kActive;
  Limits limits;               // the tier's, with this tenant's overrides applied
  AlarmThresholds alarms;      // likewise
  uint32_t weight = 1;         // likewise
  std::string cache_instance;  // which of the cell's caches it is in; empty: the first one
  // In database mode the first logical Redis database of the tenant; it has limits.cache_databases
  // in a row.
  uint32_t cache_database = 0;
  std::string cache_tag;  // in prefix mode: what its keys begin with; empty: the id
  CachePlacement cache_placement = CachePlacement::kTagged;
};

// Is the logical Redis database one of the tenant's (in database mode)?
constexpr bool owns_cache_database(const Tenant& tenant, uint32_t database) {
  return database >= tenant.cache_database &&
         database - tenant.cache_database < tenant.limits.cache_databases;
}

// 1-40 of a-z 0-9 '-': then no prefix of keys begins another one or is special in a pattern.
Result<> check_cache_tag(std::string_view tag);

// A slug is a DNS label and a PostgreSQL user name without quoting trouble.
Result<> check_slug(std::string_view slug);

}  // namespace partywall
