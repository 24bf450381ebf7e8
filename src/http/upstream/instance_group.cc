#include "http/upstream/instance_group.h"

#include <algorithm>
#include <array>

namespace partywall::http {
namespace {

bool is_quiet(net::Stream& stream) {
  std::array<char, 1> unasked{};
  return stream.read(unasked).would_block();
}

// a / weight < b / weight, without dividing.
bool is_less_loaded(const UpstreamInstance& a, const UpstreamInstance& b) {
  return uint64_t{a.in_flight()} * b.weight() < uint64_t{b.in_flight()} * a.weight();
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
                             const InstanceGroup* before, const PoolBounds& bounds)
    : max_requests_per_instance_(bounds.max_requests_per_instance) {
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

PoolSlots* InstanceGroup::slots() {
  if (!slots_) return nullptr;
  const auto healthy =
      std::ranges::count_if(instances_, [](const auto& instance) { return instance->is_up(); });
  slots_->set_capacity(static_cast<uint32_t>(healthy) * max_requests_per_instance_);
  return slots_.get();
}

bool InstanceGroup::has_healthy() const {
  return std::ranges::any_of(instances_, [](const auto& instance) { return instance->is_up(); });
}

bool InstanceGroup::fits(const UpstreamInstance& instance, Judgement judgement) const {
  switch (judgement) {
    case Judgement::kUp:
      return instance.is_up();
    case Judgement::kUpWithRoom:
      return instance.is_up() &&
             (max_requests_per_instance_ == 0 || instance.in_flight() < max_requests_per_instance_);
    case Judgement::kNotUp:
      break;
  }
  return !instance.is_up();
}

std::shared_ptr<UpstreamInstance> InstanceGroup::draw(Random& random,
                                                      const UpstreamInstance* except,
                                                      Judgement judgement) {
  const auto may_be_drawn = [&](const UpstreamInstance& instance) {
    return fits(instance, judgement) && &instance != except;
  };
  uint64_t total = 0;
  for (const auto& instance : instances_) {
    if (may_be_drawn(*instance)) total += instance->weight();
  }
  if (total == 0) return nullptr;
  uint64_t ticket = random.below(total);
  for (const auto& instance : instances_) {
    if (!may_be_drawn(*instance)) continue;
    if (ticket < instance->weight()) return instance;
    ticket -= instance->weight();
  }
  return nullptr;  // another thread judged one anew meanwhile
}

std::shared_ptr<UpstreamInstance> InstanceGroup::pick(Random& random,
                                                      const UpstreamInstance* except) {
  std::shared_ptr<UpstreamInstance> first = draw(random, except, Judgement::kUpWithRoom);
  // Slots are counted for all instances together: when one has just gone, the others have no room.
  if (!first && max_requests_per_instance_ > 0) first = draw(random, except, Judgement::kUp);
  if (!first) {
    if (!except) return nullptr;
    auto any_other = draw(random, except, Judgement::kNotUp);
    return any_other ? any_other : draw(random, nullptr, Judgement::kUp);
  }
  std::shared_ptr<UpstreamInstance> second = draw(random, first.get(), Judgement::kUpWithRoom);
  if (!second || second.get() == except) return first;
  return is_less_loaded(*second, *first) ? second : first;
}

}  // namespace partywall::http
