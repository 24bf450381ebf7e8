#pragma once

#include <string>
#include <vector>

#include "base/backoff.h"
#include "control/operation_machine.h"
#include "store/control/control_store.h"

namespace partywall::control {

// Takes running operations further, one step at a time.
class OperationRunner {
 public:
  // All of them outlive the runner.
  OperationRunner(store::ControlStore& store, std::vector<OperationMachine*> machines,
                  Random& random)
      : store_(store), machines_(std::move(machines)), random_(random) {}

  // Does one step of each operation that is due; how many those were. kDenied: the lease is lost.
  Result<size_t> run_due(const store::Author& author, int64_t fence);

 private:
  Result<> run_step(const store::Author& author, int64_t fence, const store::Operation& operation);
  Result<> save(const store::Author& author, int64_t fence, const store::Operation& before,
                const Result<MachineStep>& outcome);
  [[nodiscard]] OperationMachine* find(std::string_view kind) const;

  store::ControlStore& store_;
  std::vector<OperationMachine*> machines_;
  Random& random_;
};

// What an operation is after a step; `wait` is set to what comes before the next. Pure but for
// `random`, which spreads retries.
[[nodiscard]] store::Operation after_step(const store::Operation& before,
                                          const Result<MachineStep>& outcome, Random& random,
                                          Duration& wait);

}  // namespace partywall::control
