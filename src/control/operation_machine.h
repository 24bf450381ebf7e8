#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "store/control/operations.h"

namespace partywall::control {

// What one step made of an operation. The runner saves it, together with `write`, in one
// transaction: either both are there or the step is done again.
struct MachineStep {
  store::OperationStatus status = store::OperationStatus::kRunning;
  std::string next_step;
  std::string message;                            // for people: what it waits for, why it failed
  Duration wait{};                                // before the next step
  std::function<Result<>(store::Change&)> write;  // may be empty
};

// What operations of one kind do. A step may be done any number of times, also at once with
// another process that has lost the lease without knowing: what it does to engines must be the same
// each time.
class OperationMachine {
 public:
  virtual ~OperationMachine() = default;
  [[nodiscard]] virtual std::string_view kind() const = 0;
  [[nodiscard]] virtual std::string_view first_step() const = 0;
  [[nodiscard]] virtual int64_t steps() const = 0;  // for progress
  // Does `operation.step`. A failure is one that may pass: the step is tried again, later each
  // time. What cannot succeed is an outcome with kFailed.
  virtual Result<MachineStep> run_step(store::Session& session,
                                       const store::Operation& operation) = 0;
};

// A new operation of the machine's kind.
[[nodiscard]] store::Operation make_operation(const OperationMachine& machine, TenantId tenant,
                                              std::string subject, Random& random);

}  // namespace partywall::control
