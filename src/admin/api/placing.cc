#include "admin/api/placing.h"

#include <algorithm>

#include "store/control/cells.h"
#include "store/control/tenants.h"
#include "tenancy/cache_placement.h"
#include "tenancy/terms.h"

namespace partywall::admin {

PlacementWish read_wish(JsonReader& reader, const std::string& region) {
  PlacementWish wish{.region = region, .cell = reader.text("cell").value_or("")};
  const auto isolation = reader.text("isolation");
  if (isolation == "dedicated") wish.isolation = Isolation::kDedicated;
  if (isolation && *isolation != "dedicated" && *isolation != "shared")
    reader.reject("isolation", "must be shared or dedicated");
  return wish;
}

CacheWish read_cache_wish(JsonReader& reader) {
  CacheWish wish{.instance = reader.text("cache_instance").value_or(""),
                 .tag = reader.text("cache_tag").value_or("")};
  if (const auto database = reader.number("cache_database", 0, 1'000'000))
    wish.database = static_cast<uint32_t>(*database);
  if (!wish.tag.empty() && !check_cache_tag(wish.tag))
    reader.reject("cache_tag", "must be 1 to 40 of a-z, 0-9 and '-'");
  if (const auto text = reader.text("cache_placement")) {
    const auto placement = parse_cache_placement(*text);
    if (!placement) reader.reject("cache_placement", "must be tagged or spread");
    wish.placement = placement.value_or(CachePlacement::kTagged);
  }
  return wish;
}

uint32_t databases_of(const Tier& tier, const std::vector<store::TermOverride>& overrides) {
  Terms terms = terms_of(tier);
  // One that this release does not know grants nothing.
  for (const store::TermOverride& single : overrides)
    (void)set_term(terms, single.term, single.value);
  return terms.limits.cache_databases;
}

namespace {

CellCandidate to_candidate(const store::CellRecord& record) {
  return {.name = record.cell.name,
          .kind = record.cell.kind,
          .region = record.cell.region,
          .state = parse_cell_state(record.state).value_or(CellState::kDown),
          .tenants = record.tenants,
          .max_tenants = record.max_tenants};
}

bool asks_for_something(const CacheWish& wish) {
  return !wish.instance.empty() || wish.database || !wish.tag.empty() ||
         wish.placement != CachePlacement::kTagged;
}

// What the platform file may not say either.
ApiResult<> check_cache_wish(const CacheWish& wish, const CacheBackend& cache) {
  const CacheInstance* const instance = cache.find_instance(wish.instance);
  if (!instance)
    return refuse(invalid_body(fmt::format("the cell has no cache '{}'", wish.instance)));
  if (cache.mode == CacheMode::kDatabase) {
    if (!wish.tag.empty() || wish.placement != CachePlacement::kTagged)
      return refuse(invalid_body("the cell keeps its tenants apart by databases, not prefixes"));
    return {};
  }
  if (wish.database)
    return refuse(invalid_body("the cell keeps its tenants apart by prefixes, not databases"));
  const bool is_spread = wish.placement == CachePlacement::kSpread;
  const bool has_cluster = std::ranges::any_of(cache.instances, [](const CacheInstance& one) {
    return one.topology == CacheTopology::kCluster;
  });
  if (is_spread && has_cluster) {
    return refuse(invalid_body("cache_placement: 'spread' is not possible in a Redis Cluster"));
  }
  return {};
}

// The caller may do all this; it is the tenant's region or isolation that forbids the cell.
ApiError to_api_error(const Error& error) {
  if (error.kind == ErrorKind::kDenied) return conflict(error.message);
  if (error.kind == ErrorKind::kNotFound) return Error{ErrorKind::kInvalid, error.message};
  return error;
}

}  // namespace

ApiResult<Placer> Placer::load(store::Session& session, uint32_t cache_databases) {
  const auto cells = store::list_cells(session);
  if (!cells) return refuse(cells.error());
  Placer placer;
  placer.cache_databases_ = cache_databases;
  for (const store::CellRecord& cell : *cells) {
    placer.candidates_.push_back(to_candidate(cell));
    if (cell.cell.cache.present()) placer.caches_.emplace(cell.cell.name, cell.cell.cache);
  }
  return placer;
}

ApiResult<store::Placement> Placer::place(store::Session& session, const PlacementWish& wish,
                                          const CacheWish& cache_wish) {
  const auto chosen = choose_cell(wish, candidates_);
  if (!chosen) return refuse(to_api_error(chosen.error()));
  store::Placement placement{.cell = *chosen};
  if (auto placed = place_in_cache(session, cache_wish, placement); !placed)
    return refuse(placed.error());
  ++std::ranges::find(candidates_, *chosen, &CellCandidate::name)->tenants;
  return placement;
}

ApiResult<> Placer::place_in_cache(store::Session& session, const CacheWish& wish,
                                   store::Placement& placement) {
  const auto cache = caches_.find(placement.cell);
  if (cache == caches_.end()) {
    if (asks_for_something(wish))
      return refuse(invalid_body(fmt::format("cell {} has no cache", placement.cell)));
    return {};
  }
  if (auto valid = check_cache_wish(wish, cache->second); !valid) return valid;
  auto known = uses_.find(placement.cell);
  if (known == uses_.end()) {
    auto uses = store::cache_uses(session, placement.cell);
    if (!uses) return refuse(uses.error());
    known = uses_.emplace(placement.cell, *std::move(uses)).first;
  }
  const bool has_databases = cache->second.mode == CacheMode::kDatabase;
  std::string problem = fmt::format("cell {} has no cache '{}'", placement.cell, wish.instance);
  store::CacheUse* best = nullptr;
  uint32_t database = 0;
  for (store::CacheUse& use : known->second) {
    if (!wish.instance.empty() && wish.instance != use.instance) continue;
    if (best && best->tenants <= use.tenants) continue;
    if (has_databases && wish.database && *wish.database + wish.databases > cache_databases_) {
      return refuse(invalid_body(fmt::format(
          "cache_database: the tenant would have the databases {} to {}, a Redis has {} "
          "(`api.cache_databases`)",
          *wish.database, *wish.database + wish.databases - 1, cache_databases_)));
    }
    const auto first =
        !has_databases  ? Result<uint32_t>(0)
        : wish.database ? Result<uint32_t>(*wish.database)
                        : choose_cache_databases(use.databases, wish.databases, cache_databases_);
    if (!first) {
      problem = fmt::format("cache '{}' of cell {}: {}", use.instance, placement.cell,
                            first.error().message);
      continue;
    }
    best = &use;
    database = *first;
  }
  if (!best) return refuse(Error{ErrorKind::kLimit, std::move(problem)});
  ++best->tenants;
  placement.cache_instance = best->instance;
  placement.cache_tag = wish.tag;
  placement.cache_placement = wish.placement;
  if (!has_databases) {
    if (!wish.tag.empty()) return {};
    auto tag = store::next_cache_tag(session);
    if (!tag) return refuse(tag.error());
    placement.cache_tag = *std::move(tag);
    return {};
  }
  placement.cache_database = database;
  placement.cache_databases = wish.databases;
  for (uint32_t i = 0; i < wish.databases; ++i) best->databases.insert(database + i);
  return {};
}

ApiResult<> check_stay(store::Session& session, const store::TenantRecord& tenant,
                       const std::string& region) {
  const auto cell = store::find_cell(session, tenant.placement->cell);
  if (!cell) return refuse(cell.error());
  const CellCandidate candidate = to_candidate(*cell);
  const auto stays = check_residency({.region = region, .cell = candidate.name}, candidate);
  if (!stays) return refuse(conflict(stays.error().message + "; move it first"));
  return {};
}

store::Operation provisioning_of(const store::TenantRecord& tenant, Random& random) {
  return {.id = store::OperationId(Uuid::random(random)),
          .kind = "tenant.provision",
          .tenant = tenant.id,
          .subject = tenant.slug,
          .step = "start"};
}

}  // namespace partywall::admin
