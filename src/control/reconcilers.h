#pragma once

#include "control/engines.h"
#include "control/operation_machine.h"
#include "store/control/control_store.h"

// What has to become true again by itself. Each looks at the store, writes as the leader what has
// to be written, and may be done at any time.
namespace partywall::control {

// Starts the provisioning of tenants that wait for it and that no operation works on: those that
// were just requested, and those whose operation was lost or cancelled. How many those were.
Result<size_t> start_forgotten_provisioning(store::ControlStore& store, const store::Author& author,
                                            int64_t fence, const OperationMachine& provisioning,
                                            Random& random);

// Removes overrides whose time is over.
Result<size_t> end_overrides(store::ControlStore& store, const store::Author& author,
                             int64_t fence);

// Offboarding tenants whose grace period is over and that no legal hold keeps go to `erasing`.
Result<size_t> end_grace_periods(store::ControlStore& store, const store::Author& author,
                                 int64_t fence);

// An event for each hour of usage that is over: whoever makes bills can fetch it.
Result<> tell_usage(store::ControlStore& store, const store::Author& author, int64_t fence);

// Brings the engines of every cell to what the store says: heals what a process did that had lost
// the lease without knowing. The first failure, after all cells were tried.
Result<> reconcile_engines(store::ControlStore& store, Engines& engines);

// Keeps the feed, answers to repeated requests and what tenants used from growing without end.
Result<> forget_the_old(store::ControlStore& store, const store::Author& author, int64_t fence);

}  // namespace partywall::control
