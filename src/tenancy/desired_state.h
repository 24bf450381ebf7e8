#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// `apply`: what should be, compared with what is, gives the changes in an order that works. Pure;
// resources are a kind, a name and named texts, so that a difference can be shown to people.
namespace partywall {

// In the order in which they need each other: tenants name tiers and cells.
enum class ResourceKind : uint8_t { kTier, kCell, kRoute, kTenant };

std::string_view to_string(ResourceKind kind);
Result<ResourceKind> parse_resource_kind(std::string_view text);

using ResourceFields = std::map<std::string, std::string, std::less<>>;

struct Resource {
  ResourceKind kind = ResourceKind::kTenant;
  std::string name;
  ResourceFields fields;

  bool operator==(const Resource&) const = default;
};

enum class ChangeAction : uint8_t { kCreate, kUpdate, kDelete };

std::string_view to_string(ChangeAction action);

struct FieldChange {
  std::string name;
  std::optional<std::string> before;  // none: it was not set
  std::optional<std::string> after;   // none: it is no more

  bool operator==(const FieldChange&) const = default;
};

struct ResourceChange {
  ChangeAction action = ChangeAction::kUpdate;
  ResourceKind kind = ResourceKind::kTenant;
  std::string name;
  std::vector<FieldChange> fields;  // by name

  bool operator==(const ResourceChange&) const = default;
};

enum class Pruning : uint8_t {
  kKeepOthers,    // what is not named stays as it is
  kRemoveOthers,  // what is not named goes
};

// Creations and updates come in the order of the kinds, then removals in the reverse order; within
// a kind by name. kInvalid: something is desired twice.
Result<std::vector<ResourceChange>> plan_changes(std::span<const Resource> current,
                                                 std::span<const Resource> desired,
                                                 Pruning pruning);

// What `current` is after the changes: for tests and dry runs.
std::vector<Resource> apply_changes(std::span<const Resource> current,
                                    std::span<const ResourceChange> changes);

}  // namespace partywall
