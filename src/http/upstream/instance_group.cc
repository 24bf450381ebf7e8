#include "http/upstream/instance_group.h"

#include <algorithm>
#include <array>

namespace partywall::http {
namespace {

constexpr int64_t kWholeShare = 1'000;

bool is_quiet(net::Stream& stream) {
  std::array<char, 1> unasked{};
  return stream.read(unasked).would_block();
}

}  // namespace

std::unique_ptr<net::Stream> UpstreamInstance::take_idle(MonotonicTime now,
                                                         const ConnectionReuse& reuse) {
  while (!idle_.empty()) {
    Idle idle = std::move(idle_.back());
    idle_.pop_back();
    if (now - idle.since < reuse.max_idle_time && is_quiet(*idle.stream))
      return std::move(idle.stream);
  }
  return nullptr;
}

void UpstreamInstance::park(std::unique_ptr<net::Stream> stream, MonotonicTime now,
                            const ConnectionReuse& reuse) {
  if (idle_.size() >= reuse.max_idle) return;  // closes it
  stream->disarm();
  idle_.push_back({std::move(stream), now});
}

void UpstreamInstance::close_stale(MonotonicTime now, const ConnectionReuse& reuse) {
  const auto is_fresh = [&](const Idle& idle) { return now - idle.since < reuse.max_idle_time; };
  idle_.erase(idle_.begin(), std::ranges::find_if(idle_, is_fresh));
}

InstanceGroup::InstanceGroup(const Cell& cell, const Pool& pool, HealthRegistry& registry,
                             const InstanceGroup* before, const PoolBounds& bounds,
                             const BalanceSettings& balance)
    : balance_(balance), max_requests_per_instance_(bounds.max_requests_per_instance) {
  if (max_requests_per_instance_ > 0) {
    slots_ = before ? before->slots_ : std::make_shared<PoolSlots>(bounds.queue);
  }
  for (const Instance& instance : pool.instances) {
    InstanceKey key = key_of(cell, pool, instance);
    std::shared_ptr<UpstreamInstance> kept;
    if (before) {
      const auto found =
          std::ranges::find(before->instances_, key, [](const auto& each) { return each->key(); });
      if (found != before->instances_.end()) kept = *found;
    }
    if (kept) {
      kept->set_weight(instance.weight);
    } else {
      auto health = registry.of(key);
      kept = std::make_shared<UpstreamInstance>(std::move(key), instance.endpoint, instance.weight,
                                                std::move(health));
    }
    instances_.push_back(std::move(kept));
  }
}

PoolSlots* InstanceGroup::slots(MonotonicTime now) {
  if (slots_) slots_->set_capacity(look(now).healthy * max_requests_per_instance_);
  return slots_.get();
}

bool InstanceGroup::has_healthy() const {
  return std::ranges::any_of(
      instances_, [](const auto& instance) { return instance->is_up() && instance->weight() > 0; });
}

InstanceGroup::View InstanceGroup::look(MonotonicTime now) const {
  size_t in_use = 0, up = 0, judged = 0, settled = 0;
  for (const auto& instance : instances_) {
    if (instance->health().get() == Health::kUnknown || instance->weight() == 0) continue;
    ++judged;
    if (!instance->is_up()) continue;
    ++up;
    if (instance->health().outlier.is_out(now)) continue;
    ++in_use;
    if (now - instance->health().up_since() >= balance_.slow_start) ++settled;
  }
  View view{.now = now,
            .slow_start = settled > 0,
            .healthy = static_cast<uint32_t>(in_use > 0 ? in_use : up)};
  if (up > 0 && in_use * 100 < judged * balance_.panic_percent) {
    view.eligible = Eligible::kJudged;
  } else if (in_use == 0) {
    view.eligible = Eligible::kUp;
  }
  return view;
}

bool InstanceGroup::is_eligible(const UpstreamInstance& instance, const View& view) {
  switch (view.eligible) {
    case Eligible::kInUse:
      return instance.is_up() && !instance.health().outlier.is_out(view.now);
    case Eligible::kUp:
      return instance.is_up();
    case Eligible::kJudged:
      break;
  }
  return instance.health().get() != Health::kUnknown;
}

bool InstanceGroup::fits(const UpstreamInstance& instance, Wanted wanted, const View& view) const {
  if (wanted == Wanted::kOthers) return !is_eligible(instance, view);
  if (!is_eligible(instance, view)) return false;
  return wanted == Wanted::kEligible || max_requests_per_instance_ == 0 ||
         instance.in_flight() < max_requests_per_instance_;
}

// Of its weight, in thousandths.
int64_t InstanceGroup::share_of(const UpstreamInstance& instance, const View& view) const {
  constexpr int64_t kLeast = kWholeShare / 10;
  const Duration age = view.now - instance.health().up_since();
  if (!view.slow_start || age >= balance_.slow_start) return kWholeShare;
  return std::max(kLeast, kWholeShare * (age / milliseconds(1)) /
                              std::max<int64_t>(1, balance_.slow_start / milliseconds(1)));
}

uint64_t InstanceGroup::weight_of(const UpstreamInstance& instance, const View& view) const {
  return uint64_t{instance.weight()} * static_cast<uint64_t>(share_of(instance, view));
}

PoolLoad InstanceGroup::load(MonotonicTime now) const {
  const View view = look(now);
  PoolLoad load{.at = now, .waiting = slots_ ? slots_->waiting() : 0};
  for (const auto& instance : instances_) {
    const InstanceHealth& health = instance->health();
    const bool is_out = health.outlier.is_out(now);
    load.instances.push_back({
        .id = instance->key().instance,
        .endpoint = instance->endpoint(),
        .judgement = health.is_up()                     ? InstanceJudgement::kUp
                     : health.get() == Health::kUnknown ? InstanceJudgement::kUnjudged
                                                        : InstanceJudgement::kDown,
        .share = is_out ? 0 : static_cast<double>(share_of(*instance, view)) / kWholeShare,
        .in_flight = instance->in_flight(),
        .begun = instance->begun(),
        .ended = instance->ended(),
        .failed = instance->failed(),
    });
  }
  return load;
}

std::shared_ptr<UpstreamInstance> InstanceGroup::draw(Random& random,
                                                      const UpstreamInstance* except, Wanted wanted,
                                                      const View& view) const {
  const auto may_be_drawn = [&](const UpstreamInstance& instance) {
    return fits(instance, wanted, view) && &instance != except;
  };
  uint64_t total = 0;
  for (const auto& instance : instances_) {
    if (may_be_drawn(*instance)) total += weight_of(*instance, view);
  }
  if (total == 0) return nullptr;
  uint64_t ticket = random.below(total);
  for (const auto& instance : instances_) {
    if (!may_be_drawn(*instance)) continue;
    const uint64_t weight = weight_of(*instance, view);
    if (ticket < weight) return instance;
    ticket -= weight;
  }
  return nullptr;  // another thread judged one anew meanwhile
}

std::shared_ptr<UpstreamInstance> InstanceGroup::pick(Random& random, MonotonicTime now,
                                                      const UpstreamInstance* except) {
  const View view = look(now);
  std::shared_ptr<UpstreamInstance> first = draw(random, except, Wanted::kWithRoom, view);
  // Slots are counted for all instances together: when one has just gone, the others have no room.
  if (!first && max_requests_per_instance_ > 0) {
    first = draw(random, except, Wanted::kEligible, view);
  }
  if (!first) {
    if (!except) return nullptr;
    auto any_other = draw(random, except, Wanted::kOthers, view);
    return any_other ? any_other : draw(random, nullptr, Wanted::kEligible, view);
  }
  std::shared_ptr<UpstreamInstance> second = draw(random, first.get(), Wanted::kWithRoom, view);
  if (!second || second.get() == except) return first;
  // a / weight < b / weight, without dividing.
  const bool second_is_less_loaded =
      second->in_flight() * weight_of(*first, view) < first->in_flight() * weight_of(*second, view);
  return second_is_less_loaded ? second : first;
}

bool InstanceGroup::failed(UpstreamInstance& instance, OutlierRecord::Failure failure,
                           TenantNumber tenant, MonotonicTime now) {
  OutlierRecord& record = instance.health().outlier;
  if (!record.failed(failure, tenant, balance_.outliers) || record.is_out(now)) return false;
  const auto out = std::ranges::count_if(
      instances_, [now](const auto& each) { return each->health().outlier.is_out(now); });
  if ((static_cast<size_t>(out) + 1) * 100 > instances_.size() * balance_.max_out_percent) {
    return false;
  }
  record.take_out(now, balance_.outliers);
  return true;
}

}  // namespace partywall::http
