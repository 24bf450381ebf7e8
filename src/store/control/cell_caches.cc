#include "store/control/cell_caches.h"

#include <algorithm>

#include "tenancy/cache_tag.h"
#include "tenancy/placement.h"

namespace partywall::store {
namespace {

// One more than the highest number that a placement may have.
constexpr uint32_t kMostDatabases = 1'000'001;

struct CacheRow {
  std::string name;
  std::string address;
  std::string mode;

  bool operator==(const CacheRow&) const = default;
};

// Which Redis that is: two cells that name the same one share it.
std::string address_of(const CacheInstance& instance) {
  const std::string endpoint =
      instance.endpoints.empty() ? instance.name : instance.endpoints.front().to_string();
  return instance.primary_name.empty() ? endpoint
                                       : fmt::format("{}, {}", endpoint, instance.primary_name);
}

std::vector<CacheRow> rows_of(const Cell& cell) {
  std::vector<CacheRow> rows;
  for (const CacheInstance& instance : cell.cache.instances) {
    rows.push_back({.name = instance.name,
                    .address = address_of(instance),
                    .mode = cell.cache.mode == CacheMode::kPrefix ? "prefix" : "database"});
  }
  return rows;
}

Result<std::vector<CacheRow>> read_rows(Session& session, const std::string& cell) {
  const auto found = session.execute(
      "SELECT name, address, mode FROM partywall.cell_caches WHERE cell = $1 ORDER BY position",
      {cell});
  if (!found) return std::unexpected(found.error());
  std::vector<CacheRow> rows;
  for (size_t row = 0; row < found->size(); ++row) {
    rows.push_back({.name = std::string(found->text(row, 0)),
                    .address = std::string(found->text(row, 1)),
                    .mode = std::string(found->text(row, 2))});
  }
  return rows;
}

// Keys that were written in the one mode are not found, and not kept apart, in the other.
Result<> check_mode(Change& change, const Cell& cell, const CacheRow& row) {
  const auto others = change.execute(
      "SELECT c.cell FROM partywall.cell_caches c WHERE c.address = $1 AND c.mode <> $2 AND "
      "(c.cell <> $3 OR EXISTS (SELECT FROM partywall.placements p WHERE p.cell = c.cell AND "
      "p.cache_server = c.address)) LIMIT 1",
      {row.address, row.mode, cell.name});
  if (!others) return std::unexpected(others.error());
  if (others->empty()) return {};
  return fail(ErrorKind::kConflict,
              "cell '{}': the Redis {} keeps the tenants of cell '{}' apart in another mode than "
              "'{}'; one Redis has one mode",
              cell.name, row.address, others->text(0), row.mode);
}

Result<> write_row(Change& change, const Cell& cell, size_t position, const CacheRow& row) {
  const auto server = change.execute(
      "INSERT INTO partywall.cache_servers (address) VALUES ($1) ON CONFLICT DO NOTHING",
      {row.address});
  if (!server) return std::unexpected(server.error());
  const auto written = change.execute(
      "INSERT INTO partywall.cell_caches (cell, name, position, address, mode) "
      "VALUES ($1, $2, $3::int, $4, $5)",
      {cell.name, row.name, std::to_string(position), row.address, row.mode});
  if (!written) return std::unexpected(written.error());
  return {};
}

// Tenants from before the cell had a cache get the lowest free databases of its first one.
Result<> give_databases(Change& change, const Cell& cell) {
  if (cell.cache.mode != CacheMode::kDatabase) return {};
  const auto without = change.execute(
      "SELECT tenant, role FROM partywall.placements WHERE cell = $1 AND cache_database IS NULL "
      "ORDER BY tenant, role",
      {cell.name});
  if (!without) return std::unexpected(without.error());
  if (without->empty()) return {};
  auto uses = cache_uses(change, cell.name);
  if (!uses) return std::unexpected(uses.error());
  std::set<uint32_t>& taken = uses->front().databases;
  for (size_t row = 0; row < without->size(); ++row) {
    const auto free = choose_cache_databases(taken, 1, kMostDatabases);
    if (!free) return std::unexpected(free.error());
    taken.insert(*free);
    const auto given = change.execute(
        "UPDATE partywall.placements SET cache_database = $3::int "
        "WHERE tenant = $1::uuid AND role = $2",
        {std::string(without->text(row, 0)), std::string(without->text(row, 1)),
         std::to_string(*free)});
    if (!given) return std::unexpected(given.error());
  }
  return {};
}

// `which` says which tenants `t`, by $1. The limit is the override's, else the tier's.
Result<> keep_more(Change& change, std::string_view which, const std::string& value) {
  const auto kept = change.execute(
      fmt::format("UPDATE partywall.placements p SET cache_databases = w.wanted FROM ("
                  "SELECT q.tenant, q.role, least(16, coalesce("
                  "  (SELECT o.value FROM partywall.overrides o WHERE o.tenant = t.id AND "
                  "    o.term = 'cache_databases'), tier.terms -> 'cache_databases')::int,"
                  "  (SELECT min(n.cache_database) FROM partywall.placements n WHERE "
                  "    n.cache_server = q.cache_server AND n.cache_database > q.cache_database) "
                  "  - q.cache_database) AS wanted "
                  "FROM partywall.placements q JOIN partywall.tenants t ON t.id = q.tenant "
                  "JOIN partywall.tiers tier ON tier.name = t.tier "
                  "WHERE q.cache_range IS NOT NULL AND {}) w "
                  "WHERE p.tenant = w.tenant AND p.role = w.role AND w.wanted > p.cache_databases",
                  which),
      {value});
  if (!kept) return std::unexpected(kept.error());
  return {};
}

}  // namespace

Result<> put_cell_caches(Change& change, const Cell& cell) {
  const std::vector<CacheRow> wanted = rows_of(cell);
  const auto current = read_rows(change, cell.name);
  if (!current) return std::unexpected(current.error());
  if (*current == wanted) return {};
  for (const CacheRow& row : wanted) {
    if (auto checked = check_mode(change, cell, row); !checked) return checked;
  }
  const auto removed =
      change.execute("DELETE FROM partywall.cell_caches WHERE cell = $1", {cell.name});
  if (!removed) return std::unexpected(removed.error());
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (auto written = write_row(change, cell, i, wanted[i]); !written) return written;
  }
  if (!wanted.empty()) {
    if (auto given = give_databases(change, cell); !given) return given;
  }
  // The trigger looks at each placement again.
  const auto checked =
      change.execute("UPDATE partywall.placements SET cell = cell WHERE cell = $1", {cell.name});
  if (!checked) return std::unexpected(checked.error());
  return {};
}

Result<std::vector<CacheUse>> cache_uses(Session& session, std::string_view cell) {
  const auto rows = session.execute(
      "SELECT c.name, p.cache_database, p.cache_databases FROM partywall.cell_caches c "
      "LEFT JOIN partywall.placements p ON p.cache_server = c.address AND p.cache_server <> '' "
      "WHERE c.cell = $1 ORDER BY c.position",
      {std::string(cell)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<CacheUse> uses;
  for (size_t row = 0; row < rows->size(); ++row) {
    if (uses.empty() || uses.back().instance != rows->text(row, 0))
      uses.push_back({.instance = std::string(rows->text(row, 0)), .databases = {}});
    if (rows->is_null(row, 2)) continue;  // nobody is there
    ++uses.back().tenants;
    if (rows->is_null(row, 1)) continue;
    const auto first = static_cast<uint32_t>(rows->number(row, 1));
    for (uint32_t i = 0; i < rows->number(row, 2); ++i) uses.back().databases.insert(first + i);
  }
  return uses;
}

// An operator may have chosen one that would come next.
Result<std::string> next_cache_tag(Session& session) {
  while (true) {
    const auto number = session.execute("SELECT nextval('partywall.cache_tags')");
    if (!number) return fail_with_context("a tag for the tenant's keys", number.error());
    std::string tag = short_cache_tag(static_cast<uint32_t>(number->number(0)));
    const auto taken = session.execute(
        "SELECT FROM partywall.placements WHERE cache_tag = $1 AND cache_tag <> '' LIMIT 1", {tag});
    if (!taken) return std::unexpected(taken.error());
    if (taken->empty()) return tag;
  }
}

Result<> keep_more_cache_databases(Change& change, std::string_view tier) {
  return keep_more(change, "t.tier = $1", std::string(tier));
}

Result<> keep_more_cache_databases(Change& change, TenantId tenant) {
  return keep_more(change, "t.id = $1::uuid", tenant.value().to_string());
}

}  // namespace partywall::store
