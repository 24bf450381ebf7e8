#pragma once

#include <set>
#include <string>
#include <vector>

#include "store/control/session.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

// The caches of cells as tables, next to the cell's document: so that the database can refuse what
// two tenants would share, also where two cells name one Redis.
namespace partywall::store {

// Makes the tables say what the cell says. Tenants that are in the cell already get a database each
// where it has just got its cache. kConflict where tenants would lose their keys (a cache that
// holds some goes, or other tenants' keys are told apart in another way), or would share what is
// theirs.
Result<> put_cell_caches(Change& change, const Cell& cell);

// One of a cell's caches, with what all tenants have in that Redis, whichever cell they are in.
struct CacheUse {
  std::string instance;
  uint64_t tenants = 0;
  std::set<uint32_t> databases;
};

// In the order of the cell; empty: it has no cache.
Result<std::vector<CacheUse>> cache_uses(Session& session, std::string_view cell);

// A short tag that no tenant has or had, whatever Redis it is in.
Result<std::string> next_cache_tag(Session& session);

// Keeps more databases for tenants whose limit has grown, as far as those after theirs are free.
// None is ever given back while the placement lasts: they may hold keys.
Result<> keep_more_cache_databases(Change& change, std::string_view tier);
Result<> keep_more_cache_databases(Change& change, TenantId tenant);

}  // namespace partywall::store
