#include "fleet/instance_publisher.h"

#include <algorithm>

#include "base/log.h"

namespace partywall::fleet {
namespace {

std::vector<Instance> running_instances(const std::vector<ObservedInstance>& observed,
                                        std::span<const InstanceId> draining) {
  std::vector<Instance> instances;
  for (const ObservedInstance& instance : observed) {
    if (instance.state != InstanceState::kRunning) continue;
    const bool drains = std::ranges::find(draining, instance.id) != draining.end();
    instances.push_back(
        {.id = instance.id.value(), .endpoint = instance.endpoint, .weight = drains ? 0U : 1U});
  }
  return instances;
}

}  // namespace

Result<DirectoryRef> with_instances(const DirectoryRef& directory, const PoolPlacement& placement,
                                    const std::vector<ObservedInstance>& observed,
                                    std::span<const InstanceId> draining) {
  const Cell* cell = directory->find_cell(placement.cell);
  const Pool* pool = cell ? cell->find_pool(placement.pool) : nullptr;
  if (!pool) {
    return fail(ErrorKind::kNotFound, "group {}: the directory has no pool '{}' in a cell '{}'",
                placement.group.value(), placement.pool, placement.cell);
  }
  std::vector<Instance> instances = running_instances(observed, draining);
  if (instances == pool->instances) return DirectoryRef();
  DirectoryData data = directory->data();
  data.version += 1;
  Cell& changed_cell = *std::ranges::find(data.cells, placement.cell, &Cell::name);
  std::ranges::find(changed_cell.pools, placement.pool, &Pool::name)->instances =
      std::move(instances);
  return Directory::build(std::move(data));
}

InstancePublisher::InstancePublisher(Provider& provider, DirectoryFeed& directory,
                                     PoolPlacement placement)
    : provider_(provider), directory_(directory), placement_(std::move(placement)) {
  watch_ = provider_.watch([this](const GroupName& group) {
    if (group == placement_.group) publish();
  });
  publish();
}

void InstancePublisher::set_draining(std::vector<InstanceId> draining) {
  {
    const std::lock_guard lock(mutex_);
    if (draining == draining_) return;
    draining_ = std::move(draining);
  }
  publish();
}

void InstancePublisher::publish() {
  // Observed inside the update: of two that publish at once, the later one has seen the later
  // state.
  const auto updated =
      directory_.update([this](const DirectoryRef& current) -> Result<DirectoryRef> {
        const auto observed = provider_.observe(placement_.group);
        if (!observed) return std::unexpected(observed.error());
        const std::lock_guard lock(mutex_);
        return with_instances(current, placement_, *observed, draining_);
      });
  if (!updated) {
    log_warning("instances cannot be published; the directory keeps what it has",
                {{"group", placement_.group.value()}, {"error", updated.error().message}});
  }
}

}  // namespace partywall::fleet
