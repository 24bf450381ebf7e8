#include "cache/database_owners.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"

namespace partywall::cache {
namespace {

// Off, without a password and without a command.
constexpr const char* kOwnersUser = "partywall-databases";

// "db7:keys=12,expires=0,…" of INFO keyspace; other lines say nothing.
void learn_keys(std::string_view line, DatabaseUses& uses) {
  constexpr std::string_view kBegin = "db";
  constexpr std::string_view kKeys = ":keys=";
  const size_t colon = line.find(kKeys);
  if (!line.starts_with(kBegin) || colon == std::string_view::npos) return;
  const auto database =
      parse_integer<uint32_t>(line.substr(kBegin.size(), colon - kBegin.size()), 0);
  const std::string_view rest = line.substr(colon + kKeys.size());
  const auto keys = parse_unsigned(rest.substr(0, rest.find(',')));
  if (database && keys) uses[*database].keys = *keys;
}

// "~7=6f1c9a52-…": a pattern of the user.
void learn_owner(std::string_view pattern, DatabaseUses& uses) {
  const size_t equals = pattern.find('=');
  if (!pattern.starts_with('~') || equals == std::string_view::npos) return;
  const auto database = parse_integer<uint32_t>(pattern.substr(1, equals - 1), 0);
  const auto owner = Uuid::parse(pattern.substr(equals + 1));
  if (database && owner) uses[*database].owner = TenantId(*owner);
}

std::map<uint32_t, const Tenant*> claims_of(std::span<const Tenant> tenants) {
  std::map<uint32_t, const Tenant*> claims;
  for (const Tenant& tenant : tenants) {
    for (uint32_t i = 0; i < tenant.limits.cache_databases; ++i)
      claims[tenant.cache_database + i] = &tenant;
  }
  return claims;
}

std::string name_of(TenantId id, std::span<const Tenant> tenants) {
  const auto found = std::ranges::find(tenants, id, &Tenant::id);
  return found == tenants.end() ? id.value().to_string() : found->slug;
}

}  // namespace

Result<DatabaseUses> databases_in_use(redis::Connection& server) {
  DatabaseUses uses;
  const auto info = server.command({"INFO", "keyspace"});
  if (!info) return std::unexpected(info.error());
  for (std::string_view line : split(info->text, '\n')) learn_keys(line, uses);
  const auto user = server.command({"ACL", "GETUSER", kOwnersUser});
  if (!user) return std::unexpected(user.error());
  if (user->is_error()) return fail(ErrorKind::kDenied, "ACL GETUSER: {}", user->text);
  for (size_t i = 0; i + 1 < user->items.size(); i += 2) {
    if (user->items[i].text != "keys") continue;
    for (const std::string_view pattern : split(user->items[i + 1].text, ' '))
      learn_owner(pattern, uses);
  }
  return uses;
}

Result<> check_databases_are_free(std::span<const Tenant> tenants, const DatabaseUses& uses) {
  for (const auto& [database, tenant] : claims_of(tenants)) {
    const auto use = uses.find(database);
    if (use == uses.end() || use->second.keys == 0) continue;
    const auto& owner = use->second.owner;
    if (!owner || *owner == tenant->id) continue;
    return fail(ErrorKind::kConflict,
                "tenant {} cannot have database {}: {} keys of tenant {} are still in it; empty it "
                "first (redis-cli -n {} FLUSHDB, as the administrator), or give {} another one",
                tenant->slug, database, use->second.keys, name_of(*owner, tenants), database,
                tenant->slug);
  }
  return {};
}

Result<> record_database_owners(redis::Connection& server, std::span<const Tenant> tenants,
                                const DatabaseUses& uses) {
  std::map<uint32_t, TenantId> owners;
  for (const auto& [database, use] : left_behind(tenants, uses))
    owners.emplace(database, *use.owner);
  for (const auto& [database, tenant] : claims_of(tenants)) owners.emplace(database, tenant->id);
  std::vector<std::string> words = {"ACL", "SETUSER", kOwnersUser, "reset"};
  for (const auto& [database, owner] : owners)
    words.push_back(fmt::format("~{}={}", database, owner.value().to_string()));
  return server.expect_ok(words);
}

DatabaseUses left_behind(std::span<const Tenant> tenants, const DatabaseUses& uses) {
  const auto claims = claims_of(tenants);
  DatabaseUses left = uses;
  std::erase_if(left, [&](const auto& entry) {
    return entry.second.keys == 0 || !entry.second.owner || claims.contains(entry.first);
  });
  return left;
}

}  // namespace partywall::cache
