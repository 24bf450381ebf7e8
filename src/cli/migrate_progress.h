#pragma once

#include <memory>

#include "base/time.h"
#include "cli/migrate.h"
#include "migrate/run/migrate_tenant.h"

namespace partywall::cli {

// Shows a migration while it goes on: JSON lines on standard output; or text on standard error,
// with bars that are drawn again and again where that is a terminal. `time` must outlive it.
std::unique_ptr<migrate::MigrationObserver> make_progress(MigrateFormat format,
                                                          const TimeSource& time);

}  // namespace partywall::cli
