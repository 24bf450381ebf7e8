#include "tenancy/placement.h"

#include <algorithm>

#include "base/text.h"

namespace partywall {
namespace {

constexpr size_t kMostReasons = 12;  // cells named in one message

uint32_t capacity_of(const CellCandidate& cell) {
  return cell.kind == CellKind::kDedicated ? std::min(cell.max_tenants, 1U) : cell.max_tenants;
}

bool is_full(const CellCandidate& cell) { return cell.tenants >= capacity_of(cell); }

std::string why_not(const PlacementWish& wish, const CellCandidate& cell) {
  if (const auto resident = check_residency(wish, cell); !resident) return resident.error().message;
  if (cell.state != CellState::kActive)
    return fmt::format("cell '{}' is {}", cell.name, to_string(cell.state));
  if (is_full(cell))
    return fmt::format("cell '{}' is full with {} of {} tenants", cell.name, cell.tenants,
                       capacity_of(cell));
  return {};
}

// Is `a` emptier than `b`, by share of capacity? Exact: no rounding decides.
bool is_emptier(const CellCandidate& a, const CellCandidate& b) {
  const uint64_t left = uint64_t{a.tenants} * capacity_of(b);
  const uint64_t right = uint64_t{b.tenants} * capacity_of(a);
  return left != right ? left < right : a.name < b.name;
}

Result<std::string> check_asked_for(const PlacementWish& wish,
                                    std::span<const CellCandidate> cells) {
  const auto found = std::ranges::find(cells, wish.cell, &CellCandidate::name);
  if (found == cells.end()) {
    std::vector<std::string_view> names;
    for (const CellCandidate& cell : cells) names.push_back(cell.name);
    return fail(ErrorKind::kNotFound, "there is no cell '{}'{}", wish.cell,
                suggestion(wish.cell, names));
  }
  if (const auto resident = check_residency(wish, *found); !resident)
    return std::unexpected(resident.error());
  if (std::string reason = why_not(wish, *found); !reason.empty())
    return fail(ErrorKind::kLimit, std::move(reason));
  return found->name;
}

}  // namespace

std::string_view to_string(CellState state) {
  switch (state) {
    case CellState::kActive:
      return "active";
    case CellState::kDraining:
      return "draining";
    case CellState::kDown:
      return "down";
  }
  return "unknown";
}

Result<CellState> parse_cell_state(std::string_view text) {
  for (const CellState state : {CellState::kActive, CellState::kDraining, CellState::kDown}) {
    if (text == to_string(state)) return state;
  }
  return fail(ErrorKind::kInvalid, "{}: a cell is active, draining or down", text);
}

Result<> check_residency(const PlacementWish& wish, const CellCandidate& cell) {
  if (!wish.region.empty() && wish.region != cell.region) {
    return fail(ErrorKind::kDenied, "the tenant must stay in region '{}', cell '{}' is in '{}'",
                wish.region, cell.name, cell.region);
  }
  if (wish.isolation == Isolation::kDedicated && cell.kind != CellKind::kDedicated) {
    return fail(ErrorKind::kDenied,
                "the tenant must have a cell of its own, cell '{}' is for several", cell.name);
  }
  // A dedicated cell is for whoever needs one, unless an operator names it.
  if (wish.isolation == Isolation::kShared && cell.kind == CellKind::kDedicated &&
      wish.cell != cell.name) {
    return fail(ErrorKind::kDenied, "cell '{}' is for one tenant that must be alone", cell.name);
  }
  return {};
}

Result<std::string> choose_cell(const PlacementWish& wish, std::span<const CellCandidate> cells) {
  if (!wish.cell.empty()) return check_asked_for(wish, cells);
  const CellCandidate* best = nullptr;
  std::string reasons;
  size_t rejected = 0;
  for (const CellCandidate& cell : cells) {
    if (std::string reason = why_not(wish, cell); !reason.empty()) {
      if (++rejected <= kMostReasons) reasons += "; " + reason;
    } else if (!best || is_emptier(cell, *best)) {
      best = &cell;
    }
  }
  if (best) return best->name;
  if (rejected > kMostReasons) reasons += fmt::format("; and {} more", rejected - kMostReasons);
  return fail(ErrorKind::kLimit, "no cell can take the tenant: add one, or name one{}", reasons);
}

Result<uint32_t> choose_cache_databases(const std::set<uint32_t>& in_use, uint32_t wanted,
                                        uint32_t count) {
  uint32_t candidate = 0;
  for (const uint32_t taken : in_use) {
    if (taken - candidate >= wanted) break;
    candidate = taken + 1;
  }
  if (candidate <= count && count - candidate >= wanted && wanted > 0) return candidate;
  return fail(ErrorKind::kLimit, "the Redis has no {} free databases in a row among its {}", wanted,
              count);
}

}  // namespace partywall
