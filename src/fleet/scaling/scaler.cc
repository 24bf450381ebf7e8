#include "fleet/scaling/scaler.h"

#include <algorithm>
#include <stdexcept>

#include "fleet/scaling/instances.h"

namespace partywall::fleet {

std::string_view to_string(HoldBackRule rule) {
  switch (rule) {
    case HoldBackRule::kNoScaleIn:
      return "no scaling in without data or after a panic";
    case HoldBackRule::kStabilisation:
      return "stabilisation window";
    case HoldBackRule::kRate:
      return "rate of change";
    case HoldBackRule::kDisabled:
      return "this direction is switched off";
    case HoldBackRule::kMin:
      return "minimum of the pool";
    case HoldBackRule::kMax:
      return "maximum of the pool";
    case HoldBackRule::kPaused:
      return "paused by an operator";
  }
  return "unknown";
}

Scaler::Scaler(ScalerSettings settings, std::vector<std::unique_ptr<ScalingPolicy>> policies)
    : settings_(settings), policies_(std::move(policies)) {
  if (settings_.min > settings_.max) {
    throw std::invalid_argument("a pool's minimum is above its maximum");
  }
}

// Scaling out counts as needed only if it was asked for all the time of the up window, scaling in
// only if nothing more was asked for in the down window.
uint32_t Scaler::stabilise(uint32_t wanted, const Observation& observation) {
  const MonotonicTime now = observation.now;
  const uint32_t current = observation.capacity.desired;
  if (!began_) {
    // Whoever decided before us may have had reasons that we did not see: what is there counts as
    // having been asked for, so that a new leader does not begin with scaling in.
    const MonotonicTime before = now - Duration(1);
    greatest_.push_back({before, current});
    least_.push_back({before, current});
    began_ = true;
  }
  while (!greatest_.empty() && greatest_.back().count <= wanted) greatest_.pop_back();
  while (!least_.empty() && least_.back().count >= wanted) least_.pop_back();
  greatest_.push_back({now, wanted});
  least_.push_back({now, wanted});
  while (now - greatest_.front().at > settings_.down.stabilisation) greatest_.pop_front();
  while (now - least_.front().at > settings_.up.stabilisation) least_.pop_front();
  if (wanted > current) return std::max(current, least_.front().count);
  if (wanted < current) return std::min(current, greatest_.front().count);
  return wanted;
}

// What there was `period` ago: the changes since then are what the rate bounds.
uint32_t Scaler::count_before(Duration period, MonotonicTime now, uint32_t current) const {
  uint32_t count = current;
  for (auto past = counts_.rbegin(); past != counts_.rend(); ++past) {
    count = past->count;
    if (now - past->at >= period) break;
  }
  return count;
}

uint32_t Scaler::limit_rate(uint32_t wanted, const Observation& observation) const {
  const uint32_t current = observation.capacity.desired;
  if (wanted == current) return wanted;
  const ScaleRules& rules = wanted > current ? settings_.up : settings_.down;
  if (rules.select == RateSelect::kDisabled) return current;
  const uint64_t base = count_before(rules.rate.period, observation.now, current);
  const uint64_t by_percent = (base * rules.rate.percent + 99) / 100;
  const uint64_t step = rules.select == RateSelect::kLarger
                            ? std::max<uint64_t>(rules.rate.instances, by_percent)
                            : std::min<uint64_t>(rules.rate.instances, by_percent);
  if (wanted > current) {
    return static_cast<uint32_t>(std::clamp<uint64_t>(base + step, current, wanted));
  }
  return static_cast<uint32_t>(std::clamp<uint64_t>(base - std::min(base, step), wanted, current));
}

ScalingDecision Scaler::decide(const Observation& observation) {
  const uint32_t current = observation.capacity.desired;
  ScalingDecision decision{.at = observation.now, .capacity = observation.capacity};
  decision.recommendations.reserve(policies_.size());
  std::optional<uint32_t> largest;
  bool may_scale_in = true;
  for (const auto& policy : policies_) {
    const Recommendation recommendation = policy->recommend(observation);
    if (recommendation.count) largest = std::max(largest.value_or(0), *recommendation.count);
    may_scale_in = may_scale_in && recommendation.may_scale_in;
    decision.recommendations.push_back(recommendation);
  }

  uint32_t count = largest.value_or(current);
  const auto apply = [&](HoldBackRule rule, uint32_t allowed) {
    if (allowed == count) return;
    decision.held_back.push_back({rule, count, allowed});
    count = allowed;
  };
  if (!may_scale_in) apply(HoldBackRule::kNoScaleIn, std::max(count, current));
  apply(HoldBackRule::kStabilisation, stabilise(count, observation));
  const bool disabled =
      (count > current ? settings_.up : settings_.down).select == RateSelect::kDisabled;
  apply(disabled ? HoldBackRule::kDisabled : HoldBackRule::kRate, limit_rate(count, observation));
  // The bounds are the operator's word and hold at once, whatever the rates say.
  apply(HoldBackRule::kMin, std::max(count, settings_.min));
  apply(HoldBackRule::kMax, std::min(count, settings_.max));
  if (paused_) apply(HoldBackRule::kPaused, current);

  decision.count = count;
  counts_.push_back({observation.now, count});
  const Duration longest = std::max(settings_.up.rate.period, settings_.down.rate.period);
  while (counts_.size() > 1 && observation.now - counts_[1].at >= longest) counts_.pop_front();
  for (const auto& policy : policies_) policy->decided(observation.now, current, count);
  return decision;
}

std::string Scaler::explain(const ScalingDecision& decision) const {
  std::string text = decision.changes()
                         ? fmt::format("{} -> {}", decision.capacity.desired, decision.count)
                         : fmt::format("stays at {}", decision.count);
  text += fmt::format(" ({} ready, weight {:.1f})", decision.capacity.ready,
                      decision.capacity.ready_weight);
  for (size_t i = 0; i < decision.recommendations.size(); ++i) {
    const Recommendation& recommendation = decision.recommendations[i];
    text += fmt::format("\n  {}: ", policies_[i]->name());
    text += recommendation.count ? fmt::format("{}", *recommendation.count) : "no opinion";
    text += fmt::format(", {}", to_string(recommendation.reason));
    if (recommendation.target > 0) {
      text +=
          fmt::format(" (sees {:.4g}, target {:.4g})", recommendation.value, recommendation.target);
    }
  }
  for (const HoldBack& held : decision.held_back) {
    text += fmt::format("\n  {}: {} -> {}", to_string(held.rule), held.wanted, held.allowed);
  }
  return text;
}

}  // namespace partywall::fleet
