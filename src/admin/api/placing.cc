#include "admin/api/placing.h"

#include <algorithm>

#include "store/control/cells.h"
#include "store/control/tenants.h"

namespace partywall::admin {

PlacementWish read_wish(JsonReader& reader, const std::string& region) {
  PlacementWish wish{.region = region, .cell = reader.text("cell").value_or("")};
  const auto isolation = reader.text("isolation");
  if (isolation == "dedicated") wish.isolation = Isolation::kDedicated;
  if (isolation && *isolation != "dedicated" && *isolation != "shared")
    reader.reject("isolation", "must be shared or dedicated");
  return wish;
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
    if (cell.cell.cache.present()) placer.with_cache_.insert(cell.cell.name);
  }
  return placer;
}

ApiResult<store::Placement> Placer::place(store::Session& session, const PlacementWish& wish,
                                          std::optional<uint32_t> cache_database) {
  const auto chosen = choose_cell(wish, candidates_);
  if (!chosen) return refuse(to_api_error(chosen.error()));
  store::Placement placement{.cell = *chosen, .cache_database = std::nullopt};
  if (with_cache_.contains(*chosen)) {
    auto used = used_.find(*chosen);
    if (used == used_.end()) {
      const auto numbers = store::used_cache_databases(session, *chosen);
      if (!numbers) return refuse(numbers.error());
      used = used_.emplace(*chosen, std::set<uint32_t>(numbers->begin(), numbers->end())).first;
    }
    if (!cache_database) {
      const auto free = choose_cache_database(used->second, cache_databases_);
      if (!free) return refuse(free.error());
      cache_database = *free;
    }
    used->second.insert(*cache_database);
    placement.cache_database = cache_database;
  }
  ++std::ranges::find(candidates_, *chosen, &CellCandidate::name)->tenants;
  return placement;
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
