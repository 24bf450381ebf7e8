#pragma once

#include "base/metrics.h"
#include "sql/door/door_worker.h"

namespace partywall::sql {

// What all workers have counted. From any thread.
void write_door_metrics(MetricWriter& writer, const DoorShared& door, const Directory& directory);

}  // namespace partywall::sql
