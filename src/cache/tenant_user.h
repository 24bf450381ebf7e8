#pragma once

#include <string>

#include "base/secret.h"
#include "tenancy/tenant.h"

// The names that a tenant has within a Redis. The door and the provisioning derive them alike, so
// that nothing has to be stored.
namespace partywall::cache {

// Each tenant's ACL user begins with this; nothing else may.
inline constexpr std::string_view kTenantUserPrefix = "partywall-tenant-";

std::string tenant_user(TenantId tenant);
// HMAC of the tenant with the cell's key: knowing one password says nothing about another.
Secret tenant_user_password(const Secret& cell_key, TenantId tenant);

// The user of subscriber connections: it may subscribe and ask which channels there are, and
// nothing else.
inline constexpr std::string_view kSubscriberUser = "partywall-subscriber";
Secret subscriber_password(const Secret& cell_key);

// The user of the replicas at their primary, and of the Sentinels at all servers.
inline constexpr std::string_view kReplicaUser = "partywall-replica";
Secret replica_password(const Secret& cell_key);
inline constexpr std::string_view kSentinelUser = "partywall-sentinel";
Secret sentinel_password(const Secret& cell_key);

// The user that goes through all keys for tenants in prefix mode: it may SCAN and SORT, and nothing
// else.
inline constexpr std::string_view kKeyspaceUser = "partywall-keyspace";
Secret keyspace_password(const Secret& cell_key);

// The user that keeps the indexes of prefix mode: which keys each tenant has, for its quota. It
// reaches the keys of all tenants, with the door's own scripts only.
inline constexpr std::string_view kIndexUser = "partywall-index";
Secret index_password(const Secret& cell_key);

// The user that watches a server: it may read the slow log and end scripts, and nothing else.
inline constexpr std::string_view kWatchUser = "partywall-watch";
Secret watch_password(const Secret& cell_key);

// What every channel of the tenant begins with in Redis. Has no character that is special in
// patterns.
std::string channel_prefix(TenantId tenant);

}  // namespace partywall::cache
