#pragma once

#include <string_view>
#include <vector>

#include "store/control/records.h"
#include "store/control/session.h"

// Routes, issuers, context keys, and the logins that belong to no tenant (a tenant's own are in
// tenants.h). `put_` adds or replaces; an expected version of 0 insists that there is none yet.
// Finding and removing fail with kNotFound where there is none.
namespace partywall::store {

Result<std::vector<RouteRecord>> list_routes(Session& session);
Result<RouteRecord> find_route(Session& session, std::string_view path_prefix);
Result<> put_route(Change& change, const Route& route, ExpectedVersion expected = {});
Result<> remove_route(Change& change, std::string_view path_prefix, ExpectedVersion expected = {});

Result<std::vector<IssuerRecord>> list_issuers(Session& session);
Result<> put_issuer(Change& change, const Issuer& issuer, ExpectedVersion expected = {});
Result<> remove_issuer(Change& change, std::string_view issuer, ExpectedVersion expected = {});

// In their order: the first one signs.
Result<std::vector<ContextKeyRecord>> list_context_keys(Session& session);
// A new key verifies at once, and signs only when it is first: add it last, wait until every node
// has it, then make it first.
Result<> add_context_key(Change& change, const ContextKey& key);
Result<> make_context_key_first(Change& change, uint8_t id);
// kConflict for the last one.
Result<> remove_context_key(Change& change, uint8_t id);

Result<std::vector<SqlLoginRecord>> list_sql_logins(Session& session);
Result<> put_sql_login(Change& change, const SqlLogin& login, ExpectedVersion expected = {});
Result<> remove_sql_login(Change& change, std::string_view user, ExpectedVersion expected = {});

Result<std::vector<CacheLoginRecord>> list_cache_logins(Session& session);
Result<> put_cache_login(Change& change, const CacheLogin& login, ExpectedVersion expected = {});
Result<> remove_cache_login(Change& change, std::string_view user, ExpectedVersion expected = {});

// kConflict if a login that belongs to no tenant is called like one of a tenant with that slug.
Result<> check_slug_is_free_of_logins(Session& session, std::string_view slug);

}  // namespace partywall::store
