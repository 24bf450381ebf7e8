#include "control/operation_runner.h"

#include <algorithm>

#include "base/log.h"

namespace partywall::control {
namespace {

constexpr uint32_t kMostAtOnce = 32;
constexpr BackoffSettings kRetries{.first = milliseconds(200), .longest = seconds(30)};

}  // namespace

store::Operation make_operation(const OperationMachine& machine, TenantId tenant,
                                std::string subject, Random& random) {
  return {.id = store::OperationId(Uuid::random(random)),
          .kind = std::string(machine.kind()),
          .tenant = tenant,
          .subject = std::move(subject),
          .step = std::string(machine.first_step()),
          .progress_total = machine.steps()};
}

store::Operation after_step(const store::Operation& before, const Result<MachineStep>& outcome,
                            Random& random, Duration& wait) {
  store::Operation after = before;
  if (!outcome) {
    ++after.attempts;
    after.message = outcome.error().message;
    wait = spread_backoff_pause(kRetries, after.attempts, random);
    return after;
  }
  wait = outcome->wait;
  after.status = outcome->status;
  after.message = outcome->message;
  after.attempts = 0;
  if (outcome->status == store::OperationStatus::kDone) after.progress_done = after.progress_total;
  if (outcome->status == store::OperationStatus::kRunning && outcome->next_step != before.step) {
    after.step = outcome->next_step;
    ++after.progress_done;
  }
  return after;
}

Result<size_t> OperationRunner::run_due(const store::Author& author, int64_t fence) {
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto due = store::due_operations(*session, kMostAtOnce);
  if (!due) return std::unexpected(due.error());
  for (const store::Operation& operation : *due) {
    if (auto done = run_step(author, fence, operation); !done) return std::unexpected(done.error());
  }
  return due->size();
}

Result<> OperationRunner::run_step(const store::Author& author, int64_t fence,
                                   const store::Operation& operation) {
  OperationMachine* const machine = find(operation.kind);
  if (!machine) {
    return save(
        author, fence, operation,
        fail(ErrorKind::kUnavailable, "this release knows no operation '{}'", operation.kind));
  }
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto outcome = machine->run_step(*session, operation);
  if (!outcome) {
    log_warning("a step of an operation did not succeed; it is tried again",
                {{"kind", operation.kind},
                 {"subject", operation.subject},
                 {"step", operation.step},
                 {"error", outcome.error().message}});
  }
  auto saved = save(author, fence, operation, outcome);
  // Cancelled meanwhile, or taken further by another leader: then this step is theirs.
  if (!saved && saved.error().kind == ErrorKind::kConflict) {
    log_info("a step was not saved", {{"error", saved.error().message}});
    return {};
  }
  return saved;
}

Result<> OperationRunner::save(const store::Author& author, int64_t fence,
                               const store::Operation& before, const Result<MachineStep>& outcome) {
  Duration wait{};
  const store::Operation after = after_step(before, outcome, random_, wait);
  return store_.change_as_leader(author, fence, [&](store::Change& change) -> Result<> {
    if (outcome && outcome->write) {
      if (auto written = outcome->write(change); !written) return written;
    }
    return store::save_operation(change, after, wait);
  });
}

OperationMachine* OperationRunner::find(std::string_view kind) const {
  const auto found = std::ranges::find(machines_, kind, &OperationMachine::kind);
  return found == machines_.end() ? nullptr : *found;
}

}  // namespace partywall::control
