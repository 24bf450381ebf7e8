#pragma once

#include <vector>

#include "base/metrics.h"
#include "tenancy/directory.h"

namespace partywall::cache {

class DoorWorker;

// What all workers have counted, by tenant. From any thread.
void write_door_metrics(MetricWriter& writer, const std::vector<const DoorWorker*>& workers,
                        const Directory& directory);

}  // namespace partywall::cache
