#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tenancy/cell.h"

// Which cell a tenant gets. Pure: the control plane says what there is, and is told what to do.
namespace partywall {

enum class CellState : uint8_t {
  kActive,    // takes new tenants
  kDraining,  // keeps those that it has, takes no more
  kDown,      // its health check fails
};

std::string_view to_string(CellState state);
Result<CellState> parse_cell_state(std::string_view text);

// A cell as the placement sees it.
struct CellCandidate {
  std::string name;
  CellKind kind = CellKind::kShared;
  std::string region;
  CellState state = CellState::kActive;
  uint32_t tenants = 0;
  uint32_t max_tenants = 0;  // a dedicated cell holds one, whatever this says
};

enum class Isolation : uint8_t { kShared, kDedicated };

struct PlacementWish {
  std::string region;  // its data must stay there; empty: anywhere
  Isolation isolation = Isolation::kShared;
  std::string cell;  // this one and no other; empty: the policy chooses
};

// Region and isolation decide what is possible at all; of what is left, the emptiest cell by share
// of its capacity, then the first by name: the same input always gives the same cell. kNotFound: no
// such cell; kDenied: the cell that was asked for breaks region or isolation; kLimit: no cell has
// room. The message says of each cell why not.
Result<std::string> choose_cell(const PlacementWish& wish, std::span<const CellCandidate> cells);

// May the tenant be moved to, or stay in, this cell? Capacity counts only for the former.
Result<> check_residency(const PlacementWish& wish, const CellCandidate& cell);

// The lowest number from which on `wanted` in a row are not in use: the logical databases of a
// tenant in a Redis that has `count` of them. kLimit: there is no such gap.
Result<uint32_t> choose_cache_databases(const std::set<uint32_t>& in_use, uint32_t wanted,
                                        uint32_t count);

}  // namespace partywall
