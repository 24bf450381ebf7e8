#include "fleet/loop/pool_keeper.h"

#include <algorithm>

#include "fleet/termination.h"

namespace partywall::fleet {
namespace {

using State = InstanceHealth::State;

// Until each worker of each door has seen that the instance drains.
constexpr Duration kDrainAtLeast = seconds(1);

InstanceCondition condition_of(State state) {
  switch (state) {
    case State::kHealthy:
      return InstanceCondition::kHealthy;
    case State::kStarting:
      return InstanceCondition::kStarting;
    case State::kUnhealthy:
      break;
  }
  return InstanceCondition::kUnhealthy;
}

}  // namespace

std::string_view to_string(PoolEventKind kind) {
  switch (kind) {
    case PoolEventKind::kScaled:
      return "scaled";
    case PoolEventKind::kOperator:
      return "operator";
    case PoolEventKind::kReplacing:
      return "replacing";
    case PoolEventKind::kReplaced:
      return "replaced";
    case PoolEventKind::kLaunchFailed:
      return "launch-failed";
    case PoolEventKind::kBraked:
      return "braked";
    case PoolEventKind::kReleased:
      return "released";
    case PoolEventKind::kDraining:
      return "draining";
    case PoolEventKind::kRemoved:
      return "removed";
  }
  return "unknown";
}

PoolKeeper::PoolKeeper(PoolKeeping settings)
    : settings_(std::move(settings)),
      scaler_(make_scaler(settings_.scaling)),
      healer_(settings_.healing) {}

PoolOrders PoolKeeper::step(const PoolView& view) {
  now_ = view.now;
  wall_ = view.wall;
  get_to_know(view);
  if (!began_) {
    const ScalerSettings& bounds = settings_.scaling.bounds;
    const auto there = static_cast<uint32_t>(view.instances.size());
    desired_ = std::clamp(there, bounds.min, bounds.max);
    next_decision_ = view.now + settings_.decision_interval;
    began_ = true;
  }
  measure(view);
  heal(view);
  if (view.now >= next_decision_) decide(view);
  finish_replacements(view);
  drain_surplus(view);
  return orders(view);
}

// Forgets what is gone, and notices a process that has taken the place of another.
void PoolKeeper::get_to_know(const PoolView& view) {
  std::map<InstanceId, Known> known;
  for (const InstanceView& instance : view.instances) {
    const ObservedInstance& observed = instance.observed;
    Known entry{.process_id = observed.process_id, .since = view.now};
    const auto before = known_.find(observed.id);
    if (before != known_.end() && before->second.process_id == observed.process_id) {
      entry = before->second;
    } else {
      draining_.erase(observed.id);  // that was another process of the same name
    }
    const bool is_up = instance.load && instance.load->judgement == InstanceJudgement::kUp;
    entry.was_up = entry.was_up || is_up;
    known.emplace(observed.id, entry);
  }
  known_ = std::move(known);
  std::erase_if(draining_, [&](const auto& entry) { return !known_.contains(entry.first); });
  std::erase_if(replacing_, [&](const auto& entry) { return !known_.contains(entry.first); });
}

InstanceHealth::State PoolKeeper::health_of(const InstanceView& instance) const {
  // A process that has ended is started again by the provider, after a pause of its own.
  if (instance.observed.state != InstanceState::kRunning) return State::kStarting;
  const auto known = known_.find(instance.observed.id);
  const bool was_up = known != known_.end() && known->second.was_up;
  // No door says how it is: that is no reason to do anything.
  if (!instance.load) return was_up ? State::kHealthy : State::kStarting;
  if (instance.load->judgement == InstanceJudgement::kUp) {
    const bool takes_too_much = settings_.max_memory_bytes > 0 && instance.memory_bytes &&
                                *instance.memory_bytes > settings_.max_memory_bytes;
    return takes_too_much ? State::kUnhealthy : State::kHealthy;
  }
  const bool had_its_time =
      known != known_.end() && now_ - known->second.since >= settings_.boot_timeout;
  const bool has_failed = instance.load->judgement == InstanceJudgement::kDown && was_up;
  return has_failed || had_its_time ? State::kUnhealthy : State::kStarting;
}

bool PoolKeeper::is_leaving(const InstanceView& instance) const {
  return instance.observed.state == InstanceState::kStopping ||
         draining_.contains(instance.observed.id);
}

uint32_t PoolKeeper::count(const PoolView& view, State state) const {
  return static_cast<uint32_t>(
      std::ranges::count_if(view.instances, [&](const InstanceView& instance) {
        return !is_leaving(instance) && !is_replaced(instance.observed.id) &&
               health_of(instance) == state;
      }));
}

void PoolKeeper::measure(const PoolView& view) {
  if (view.load) meter_.look(*view.load, signals_);
  if (view.cpu) signals_.add(kCpu, view.now, *view.cpu);
  capacity_ = {.desired = desired_};
  for (const InstanceView& instance : view.instances) {
    if (is_leaving(instance) || health_of(instance) != State::kHealthy) continue;
    ++capacity_.ready;
    capacity_.ready_weight += instance.load ? instance.load->share : 0;
  }
}

void PoolKeeper::heal(const PoolView& view) {
  std::vector<InstanceHealth> healths;
  for (const InstanceView& instance : view.instances) {
    if (is_leaving(instance)) continue;
    healths.push_back({.id = instance.observed.id, .state = health_of(instance)});
  }
  const HealingDecision decision = healer_.decide(view.now, healths);
  if (decision.braked != braked_) {
    braked_ = decision.braked;
    note(braked_ ? PoolEventKind::kBraked : PoolEventKind::kReleased,
         braked_ ? "many instances are unhealthy at once: none is replaced until somebody has "
                   "looked, or they recover"
                 : "unhealthy instances are replaced again");
  }
  for (const InstanceId& id : decision.replace) {
    replacing_.emplace(id, view.now);
    note(PoolEventKind::kReplacing, fmt::format("{} is unhealthy; another one starts", id.value()));
  }
}

void PoolKeeper::finish_replacements(const PoolView& view) {
  for (const InstanceView& instance : view.instances) {
    const InstanceId& id = instance.observed.id;
    const auto entry = replacing_.find(id);
    if (entry == replacing_.end() || is_leaving(instance)) continue;
    if (health_of(instance) == State::kHealthy) {
      healer_.replaced(id);
      replacing_.erase(entry);
      note(PoolEventKind::kReplaced, fmt::format("{} has recovered and stays", id.value()));
    } else if (view.now - entry->second >= settings_.boot_timeout) {
      healer_.launch_failed(id, view.now);
      replacing_.erase(entry);
      note(PoolEventKind::kLaunchFailed,
           fmt::format("what was to replace {} did not become healthy within {} s", id.value(),
                       settings_.boot_timeout / seconds(1)));
    } else if (count(view, State::kHealthy) + count(view, State::kUnhealthy) >= desired_) {
      healer_.replaced(id);
      replacing_.erase(entry);
      note(PoolEventKind::kReplaced, fmt::format("{} is replaced", id.value()));
      drain(id, view.now, "unhealthy");
    }
  }
}

void PoolKeeper::decide(const PoolView& view) {
  next_decision_ = view.now + settings_.decision_interval;
  const ScalingDecision decision = scaler_->decide(
      {.now = view.now, .wall = view.wall, .capacity = capacity_, .signals = signals_});
  explanation_ = scaler_->explain(decision);
  if (!decision.changes()) return;
  desired_ = decision.count;
  capacity_.desired = desired_;
  note(PoolEventKind::kScaled, explanation_);
}

void PoolKeeper::drain_surplus(const PoolView& view) {
  std::vector<TerminationCandidate> candidates;
  for (const InstanceView& instance : view.instances) {
    if (is_leaving(instance) || is_replaced(instance.observed.id)) continue;
    candidates.push_back({.id = instance.observed.id,
                          .condition = condition_of(health_of(instance)),
                          .requests_in_flight = instance.load ? instance.load->in_flight : 0});
  }
  if (candidates.size() <= desired_) return;
  const auto surplus = static_cast<uint32_t>(candidates.size() - desired_);
  for (const InstanceId& id : choose_victims(candidates, surplus)) {
    drain(id, view.now, "not needed");
  }
}

void PoolKeeper::drain(const InstanceId& id, MonotonicTime now, std::string_view why) {
  draining_.emplace(id, Draining{.since = now, .until = now + settings_.drain_timeout});
  note(PoolEventKind::kDraining, fmt::format("{} gets no new requests ({})", id.value(), why));
}

PoolOrders PoolKeeper::orders(const PoolView& view) {
  PoolOrders orders;
  for (const InstanceView& instance : view.instances) {
    const auto entry = draining_.find(instance.observed.id);
    if (entry == draining_.end()) continue;
    const bool is_idle = !instance.load || instance.load->in_flight == 0;
    const bool had_time = view.now - entry->second.since >= kDrainAtLeast;
    if ((is_idle && had_time) || view.now >= entry->second.until) {
      if (!std::exchange(entry->second.removed, true)) {
        note(PoolEventKind::kRemoved, instance.observed.id.value() + " is ended");
      }
      orders.remove.push_back(instance.observed.id);
    } else {
      orders.draining.push_back(instance.observed.id);
    }
  }
  orders.count = desired_ + static_cast<uint32_t>(replacing_.size() + orders.draining.size());
  return orders;
}

Result<> PoolKeeper::scale(uint32_t count, WallTime now) {
  const ScalerSettings& bounds = settings_.scaling.bounds;
  if (count < bounds.min || count > bounds.max) {
    return fail(ErrorKind::kInvalid, "the pool may have {} to {} instances, not {}", bounds.min,
                bounds.max, count);
  }
  wall_ = now;
  note(PoolEventKind::kOperator, fmt::format("{} -> {} instances", desired_, count));
  desired_ = count;
  began_ = true;
  return {};
}

void PoolKeeper::pause(WallTime now) {
  if (paused()) return;
  wall_ = now;
  scaler_->pause();
  note(PoolEventKind::kOperator, "paused: the number of instances stays");
}

void PoolKeeper::resume(WallTime now) {
  if (!paused()) return;
  wall_ = now;
  scaler_->resume();
  note(PoolEventKind::kOperator, "resumed");
}

void PoolKeeper::note(PoolEventKind kind, std::string text) {
  events_.push_back({.at = wall_, .kind = kind, .text = std::move(text)});
}

}  // namespace partywall::fleet
