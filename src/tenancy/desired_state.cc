#include "tenancy/desired_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace partywall {
namespace {

constexpr std::array<std::string_view, 4> kKindNames = {"tier", "cell", "route", "tenant"};

using Key = std::pair<ResourceKind, std::string_view>;
using Index = std::map<Key, const Resource*>;

// A field that is absent on one side is a change too.
std::vector<FieldChange> compare(const ResourceFields& before, const ResourceFields& after) {
  std::vector<FieldChange> changes;
  auto old = before.begin();
  auto next = after.begin();
  while (old != before.end() || next != after.end()) {
    if (next == after.end() || (old != before.end() && old->first < next->first)) {
      changes.push_back({.name = old->first, .before = old->second, .after = std::nullopt});
      ++old;
    } else if (old == before.end() || next->first < old->first) {
      changes.push_back({.name = next->first, .before = std::nullopt, .after = next->second});
      ++next;
    } else {
      if (old->second != next->second)
        changes.push_back({.name = old->first, .before = old->second, .after = next->second});
      ++old;
      ++next;
    }
  }
  return changes;
}

ResourceChange change_of(ChangeAction action, const Key& key, const ResourceFields& before,
                         const ResourceFields& after) {
  return {.action = action,
          .kind = key.first,
          .name = std::string(key.second),
          .fields = compare(before, after)};
}

Index index_of(std::span<const Resource> resources) {
  Index index;
  for (const Resource& resource : resources) index[{resource.kind, resource.name}] = &resource;
  return index;
}

}  // namespace

std::string_view to_string(ResourceKind kind) { return kKindNames[std::to_underlying(kind)]; }

Result<ResourceKind> parse_resource_kind(std::string_view text) {
  const auto found = std::ranges::find(kKindNames, text);
  if (found == kKindNames.end()) {
    return fail(ErrorKind::kInvalid, "there is no kind '{}'{}", text, suggestion(text, kKindNames));
  }
  return static_cast<ResourceKind>(found - kKindNames.begin());
}

std::string_view to_string(ChangeAction action) {
  switch (action) {
    case ChangeAction::kCreate:
      return "create";
    case ChangeAction::kUpdate:
      return "update";
    case ChangeAction::kDelete:
      return "delete";
  }
  return "unknown";
}

Result<std::vector<ResourceChange>> plan_changes(std::span<const Resource> current,
                                                 std::span<const Resource> desired,
                                                 Pruning pruning) {
  const Index is = index_of(current);
  Index should;
  for (const Resource& resource : desired) {
    if (!should.emplace(Key(resource.kind, resource.name), &resource).second) {
      return fail(ErrorKind::kInvalid, "the {} '{}' is there twice", to_string(resource.kind),
                  resource.name);
    }
  }
  std::vector<ResourceChange> changes;
  for (const auto& [key, resource] : should) {
    const auto found = is.find(key);
    if (found == is.end()) {
      changes.push_back(change_of(ChangeAction::kCreate, key, {}, resource->fields));
    } else if (found->second->fields != resource->fields) {
      changes.push_back(
          change_of(ChangeAction::kUpdate, key, found->second->fields, resource->fields));
    }
  }
  if (pruning == Pruning::kKeepOthers) return changes;
  // Backwards by kind: a tier goes after the tenants that were on it.
  std::vector<ResourceChange> removals;
  for (const auto& [key, resource] : is) {
    if (!should.contains(key))
      removals.push_back(change_of(ChangeAction::kDelete, key, resource->fields, {}));
  }
  std::ranges::sort(removals, [](const ResourceChange& a, const ResourceChange& b) {
    return a.kind != b.kind ? a.kind > b.kind : a.name < b.name;
  });
  std::ranges::move(removals, std::back_inserter(changes));
  return changes;
}

std::vector<Resource> apply_changes(std::span<const Resource> current,
                                    std::span<const ResourceChange> changes) {
  std::map<std::pair<ResourceKind, std::string>, Resource> state;
  for (const Resource& resource : current) state[{resource.kind, resource.name}] = resource;
  for (const ResourceChange& change : changes) {
    const std::pair key(change.kind, change.name);
    if (change.action == ChangeAction::kDelete) {
      state.erase(key);
      continue;
    }
    Resource& resource = state[key];
    resource.kind = change.kind;
    resource.name = change.name;
    for (const FieldChange& field : change.fields) {
      if (field.after) {
        resource.fields[field.name] = *field.after;
      } else {
        resource.fields.erase(field.name);
      }
    }
  }
  std::vector<Resource> result;
  for (auto& [key, resource] : state) result.push_back(std::move(resource));
  return result;
}

}  // namespace partywall
