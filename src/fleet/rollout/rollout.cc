#include "fleet/rollout/rollout.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {
namespace {

struct Counts {
  uint32_t outgoing = 0;
  uint32_t incoming = 0;
};

uint32_t least_ready(const RolloutPlan& plan, uint32_t desired) {
  return desired - std::min(desired, plan.max_unavailable);
}

// One step of replacing instances: as many new ones as the surge allows, and away with what is not
// needed for desired - max_unavailable. Outgoing ones that are not ready serve nobody.
Counts replace_some(const RolloutPlan& plan, uint32_t desired, const VersionCounts& outgoing,
                    const VersionCounts& incoming) {
  const uint32_t ready = outgoing.ready + incoming.ready;
  const uint32_t spare = ready - std::min(ready, least_ready(plan, desired));
  Counts counts;
  counts.outgoing = outgoing.ready - std::min(outgoing.ready, spare);
  const uint64_t room = uint64_t{desired} + plan.max_surge;
  const uint64_t taken = uint64_t{outgoing.ready} + incoming.launched;
  const auto more = static_cast<uint32_t>(room - std::min(room, taken));
  // Fewer only where the autoscaler wants fewer.
  counts.incoming = std::min(desired, incoming.launched + more);
  return counts;
}

double share_by_count(const RolloutInput& input) {
  const uint32_t ready = input.old_version.ready + input.new_version.ready;
  return ready == 0 ? 0 : static_cast<double>(input.new_version.ready) / ready;
}

}  // namespace

std::string_view to_string(RolloutPhase phase) {
  switch (phase) {
    case RolloutPhase::kRunning:
      return "running";
    case RolloutPhase::kPaused:
      return "paused";
    case RolloutPhase::kRollingBack:
      return "rolling back";
    case RolloutPhase::kSucceeded:
      return "succeeded";
    case RolloutPhase::kRolledBack:
      return "rolled back";
  }
  return "unknown";
}

Result<> check_plan(const RolloutPlan& plan) {
  if (plan.max_surge == 0 && plan.max_unavailable == 0) {
    return fail(ErrorKind::kInvalid,
                "max_surge and max_unavailable are both 0: nothing could ever be replaced");
  }
  if (plan.strategy == RolloutStrategy::kCanary && plan.steps.empty()) {
    return fail(ErrorKind::kInvalid, "a canary needs at least one step");
  }
  uint32_t before = 0;
  for (const CanaryStep& step : plan.steps) {
    if (step.percent <= before || step.percent > 100) {
      return fail(ErrorKind::kInvalid,
                  "the steps of a canary are growing shares of 1 to 100 %, but {} follows {}",
                  step.percent, before);
    }
    before = step.percent;
  }
  return {};
}

Rollout::Rollout(RolloutPlan plan, MonotonicTime now) : plan_(std::move(plan)) {
  switch (plan_.strategy) {
    case RolloutStrategy::kRolling:
      enter(Stage::kRolling, now, "replacing instances");
      break;
    case RolloutStrategy::kCanary:
      enter(Stage::kCanary, now, "launching the canary");
      break;
    case RolloutStrategy::kBlueGreen:
      enter(Stage::kGreen, now, "launching the new set");
      break;
  }
}

void Rollout::enter(Stage stage, MonotonicTime now, std::string reason) {
  state_.stage = stage;
  state_.step_began.reset();
  state_.last_progress = now;
  state_.most_ready = 0;
  state_.reason = std::move(reason);
}

void Rollout::roll_back(MonotonicTime now, std::string reason) {
  state_.phase = RolloutPhase::kRollingBack;
  state_.last_progress = now;
  state_.reason = std::move(reason);
}

RolloutTarget Rollout::advance(const RolloutInput& input) {
  if (!finished() && state_.phase != RolloutPhase::kRollingBack) {
    obey(input);
    judge(input);
    watch_progress(input);
  }
  const RolloutTarget target = keep_what_is_needed(run(input), input);
  state_.share = target.new_share;
  return target;
}

// Instances may have died anywhere: whatever a stage asks for, what is ready and needed stays.
RolloutTarget Rollout::keep_what_is_needed(RolloutTarget target, const RolloutInput& input) const {
  const uint32_t old_ready = std::min(target.old_count, input.old_version.ready);
  const uint32_t new_ready = std::min(target.new_count, input.new_version.ready);
  const uint32_t least = least_ready(plan_, input.desired);
  uint32_t missing = least - std::min(least, old_ready + new_ready);
  const uint32_t old_spared = std::min(missing, input.old_version.ready - old_ready);
  missing -= old_spared;
  const uint32_t new_spared = std::min(missing, input.new_version.ready - new_ready);
  if (old_spared > 0) target.old_count = old_ready + old_spared;
  if (new_spared > 0) target.new_count = new_ready + new_spared;
  return target;
}

void Rollout::obey(const RolloutInput& input) {
  if (!input.command) return;
  switch (*input.command) {
    case RolloutCommand::kPause:
      state_.phase = RolloutPhase::kPaused;
      state_.reason = "paused by an operator";
      break;
    case RolloutCommand::kResume:
      if (state_.phase != RolloutPhase::kPaused) break;
      state_.phase = RolloutPhase::kRunning;
      state_.last_progress = input.now;
      if (state_.step_began) state_.step_began = input.now;  // measured anew
      state_.reason = "resumed by an operator";
      break;
    case RolloutCommand::kAbort:
      roll_back(input.now, "aborted by an operator");
      break;
    case RolloutCommand::kPromote:
      state_.phase = RolloutPhase::kRunning;
      enter(Stage::kRolling, input.now, "promoted by an operator");
      break;
  }
}

// Does the new version have traffic whose verdict counts?
bool Rollout::measures() const {
  return state_.stage == Stage::kRolling || state_.step_began.has_value();
}

void Rollout::judge(const RolloutInput& input) {
  if (state_.phase == RolloutPhase::kRollingBack || !measures()) return;
  if (input.verdict == Verdict::kFail) roll_back(input.now, "the new version is worse");
}

void Rollout::watch_progress(const RolloutInput& input) {
  if (state_.phase != RolloutPhase::kRunning) return;
  if (input.new_version.ready > state_.most_ready) {
    state_.most_ready = input.new_version.ready;
    state_.last_progress = input.now;
  }
  // While a step holds, nothing is supposed to move.
  if (state_.step_began) return;
  if (input.now - state_.last_progress >= plan_.progress_deadline) {
    roll_back(input.now, "no progress before the deadline");
  }
}

RolloutTarget Rollout::run(const RolloutInput& input) {
  switch (state_.phase) {
    case RolloutPhase::kPaused:
      return hold(input);
    case RolloutPhase::kRollingBack:
      return run_back(input);
    case RolloutPhase::kSucceeded:
      return {.new_count = input.desired, .new_share = 1};
    case RolloutPhase::kRolledBack:
      return {.old_count = input.desired};
    case RolloutPhase::kRunning:
      break;
  }
  switch (state_.stage) {
    case Stage::kCanary:
      return run_canary(input);
    case Stage::kGreen:
      return run_green(input);
    case Stage::kBake:
      return run_bake(input);
    case Stage::kRolling:
      return run_rolling(input);
  }
  return hold(input);
}

uint32_t Rollout::canary_instances(uint32_t desired) const {
  const uint64_t percent = plan_.steps[state_.step].percent;
  return std::max<uint32_t>(1, static_cast<uint32_t>((uint64_t{desired} * percent + 99) / 100));
}

// The old version keeps its full size until the canary has passed: ending it costs nothing.
RolloutTarget Rollout::run_canary(const RolloutInput& input) {
  const uint32_t wanted = canary_instances(input.desired);
  const CanaryStep& step = plan_.steps[state_.step];
  if (!state_.step_began && input.new_version.ready >= wanted) {
    state_.step_began = input.now;
    state_.reason = fmt::format("{} % of the traffic", step.percent);
  }
  RolloutTarget target{.old_count = input.desired, .new_count = wanted};
  if (state_.step_began) {
    // Traffic only for what is there, should canaries die.
    target.new_share =
        step.percent / 100.0 * std::min(1.0, static_cast<double>(input.new_version.ready) / wanted);
    pass_gate(input, step);
  }
  return target;
}

void Rollout::pass_gate(const RolloutInput& input, const CanaryStep& step) {
  const Duration held = input.now - *state_.step_began;
  if (held < step.hold) return;
  if (step.gate == StepGate::kHoldOnly || input.verdict == Verdict::kPass) {
    next_stage(input);
  } else if (held >= step.hold + plan_.inconclusive_after) {
    state_.phase = RolloutPhase::kPaused;
    state_.reason = "the analysis has no verdict: promote, abort or resume it";
  }
}

void Rollout::next_stage(const RolloutInput& input) {
  if (state_.stage == Stage::kCanary && state_.step + 1 < plan_.steps.size()) {
    ++state_.step;
    enter(Stage::kCanary, input.now, "launching more canaries");
  } else {
    enter(Stage::kRolling, input.now, "replacing instances");
  }
}

RolloutTarget Rollout::run_green(const RolloutInput& input) {
  if (input.new_version.ready >= input.desired && input.desired > 0) {
    enter(Stage::kBake, input.now, "all traffic is at the new set");
    state_.step_began = input.now;
    return run_bake(input);
  }
  return {.old_count = input.desired, .new_count = input.desired};
}

RolloutTarget Rollout::run_bake(const RolloutInput& input) {
  pass_gate(input, plan_.bake);
  // Both sets have their full size, so that the way back is as quick as the way here.
  const bool whole = input.new_version.ready > 0 && input.new_version.ready >= input.desired;
  const double share = whole ? 1.0 : share_by_count(input);
  return {.old_count = input.desired, .new_count = input.desired, .new_share = share};
}

RolloutTarget Rollout::run_rolling(const RolloutInput& input) {
  if (input.new_version.ready >= input.desired && input.old_version.launched == 0) {
    state_.phase = RolloutPhase::kSucceeded;
    state_.reason = "every instance runs the new version";
    return {.new_count = input.desired, .new_share = 1};
  }
  const Counts counts = replace_some(plan_, input.desired, input.old_version, input.new_version);
  return {.old_count = counts.outgoing,
          .new_count = counts.incoming,
          .new_share = share_by_count(input)};
}

RolloutTarget Rollout::run_back(const RolloutInput& input) {
  if (input.new_version.launched == 0 && input.old_version.ready >= input.desired) {
    state_.phase = RolloutPhase::kRolledBack;
    return {.old_count = input.desired};
  }
  const Counts counts = replace_some(plan_, input.desired, input.new_version, input.old_version);
  const uint32_t least = least_ready(plan_, input.desired);
  const bool old_bears_it = input.old_version.ready >= least && input.old_version.ready > 0;
  return {.old_count = counts.incoming,
          .new_count = counts.outgoing,
          .new_share = old_bears_it ? 0.0 : share_by_count(input)};
}

// Everything stays as it is; only what the autoscaler adds goes to the version that is proven.
RolloutTarget Rollout::hold(const RolloutInput& input) const {
  const uint32_t new_count = input.new_version.launched;
  const uint32_t rest = input.desired - std::min(input.desired, input.new_version.ready);
  const bool canary = state_.stage == Stage::kCanary || state_.stage == Stage::kGreen;
  const uint32_t old_count = std::max(input.old_version.launched, canary ? input.desired : rest);
  const double share = input.new_version.ready == 0   ? 0
                       : input.old_version.ready == 0 ? 1
                                                      : state_.share;
  return {.old_count = old_count, .new_count = new_count, .new_share = share};
}

}  // namespace partywall::fleet
