#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/control/records.h"
#include "store/control/session.h"

// Tenants in the control store, with what belongs to them: placement, overrides, logins. The life
// cycle is tenancy/'s: these functions store what was decided. Each that changes something fails
// with kNotFound for a tenant that is not there, and with kConflict for a version that is not the
// expected one, a slug, login or Redis database that is taken, or a dedicated cell that is full.
namespace partywall::store {

struct TenantFilter {
  std::optional<TenantStatus> status;  // none: all but erased
  std::string tier;                    // empty: any
  std::string cell;                    // empty: any
  std::string text;                    // part of slug or name; empty: any
};

// Where a page ends: erased tenants may have had the same slug.
struct TenantCursor {
  std::string slug;
  TenantId id;
};

// In the order of slugs (and ids), from the first that comes after `after`; pages stay stable while
// tenants come and go.
Result<std::vector<TenantRecord>> list_tenants(Session& session, const TenantFilter& filter,
                                               const TenantCursor& after, uint32_t most);
Result<uint64_t> count_tenants(Session& session, const TenantFilter& filter);

Result<TenantRecord> find_tenant(Session& session, TenantId id);
// By id or slug.
Result<TenantRecord> find_tenant(Session& session, std::string_view uuid_or_slug);

// All of the record but its times and version.
Result<> insert_tenant(Change& change, const TenantRecord& tenant);

struct TenantPatch {
  std::optional<std::string> name;
  std::optional<std::string> tier;
  std::optional<std::string> region;
};
Result<> update_tenant(Change& change, TenantId id, const TenantPatch& patch,
                       ExpectedVersion expected = {});

// `event` says what happened in the words of the life cycle: "tenant.suspended".
Result<> set_tenant_state(Change& change, TenantId id, TenantStatus status, bool legal_hold,
                          std::optional<WallTime> grace_ends_at, std::string_view event,
                          ExpectedVersion expected = {});

Result<> set_placement(Change& change, TenantId id, const std::optional<Placement>& current,
                       const std::optional<Placement>& target);

Result<> set_override(Change& change, TenantId id, const TermOverride& override);
// kNotFound if there is none.
Result<> remove_override(Change& change, TenantId id, std::string_view term);
// Removes all that have run out by the store's clock; how many those were.
Result<uint64_t> remove_expired_overrides(Change& change);

// Adds the login, or replaces the credentials of the same user, which must be the same tenant's.
Result<> put_sql_login(Change& change, TenantId id, const SqlLogin& login);
Result<> put_cache_login(Change& change, TenantId id, const CacheLogin& login);
Result<> remove_sql_login(Change& change, TenantId id, std::string_view user);
Result<> remove_cache_login(Change& change, TenantId id, std::string_view user);

// The row and everything that belongs to it. The life cycle ends with `erased` rows; this is for
// tenants that were never provisioned.
Result<> delete_tenant(Change& change, TenantId id, ExpectedVersion expected = {});

// What the directory has of the tenant: its limits are the tier's, with its overrides. kInvalid
// without a placement, and for an override that this release does not understand.
Result<Tenant> effective_tenant(const TenantRecord& record, const Tier& tier);

}  // namespace partywall::store
