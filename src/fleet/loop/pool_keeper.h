#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/pool_load.h"
#include "fleet/healing/healer.h"
#include "fleet/loop/load_meter.h"
#include "fleet/provider.h"
#include "fleet/scaling/pool_scaling.h"

namespace partywall::fleet {

struct PoolKeeping {
  PoolScaling scaling = default_pool_scaling();
  HealingSettings healing;
  Duration decision_interval = seconds(15);
  Duration boot_timeout = minutes(2);    // until a new instance must have been healthy once
  Duration drain_timeout = seconds(30);  // for the requests of an instance that is to go
  uint64_t max_memory_bytes = 0;         // of an instance; above it is replaced; 0: no bound
};

// One instance, as the provider, the door and the machine see it.
struct InstanceView {
  ObservedInstance observed;
  std::optional<InstanceLoad> load;      // nothing: the door does not know it yet
  std::optional<uint64_t> memory_bytes;  // nothing: not known
};

struct PoolView {
  MonotonicTime now{};
  WallTime wall{};
  std::vector<InstanceView> instances;
  std::optional<PoolLoad> load;  // nothing: the door has not said
  std::optional<double> cpu;     // processors busy, the mean of the instances
};

// What is to be brought about now. The provider removes first, then ensures the count.
struct PoolOrders {
  uint32_t count = 0;                // instances that are not removed, those that drain among them
  std::vector<InstanceId> draining;  // get no new request
  std::vector<InstanceId> remove;    // they have drained, or had their time
};

enum class PoolEventKind : uint8_t {
  kScaled,     // a decision changed the number
  kOperator,   // somebody said so
  kReplacing,  // an unhealthy instance is replaced
  kReplaced,
  kLaunchFailed,  // the replacement did not become healthy in time
  kBraked,        // too many are unhealthy at once: nothing is replaced
  kReleased,      // the brake is off again
  kDraining,
  kRemoved,
};
inline constexpr size_t kPoolEventKinds = 9;

std::string_view to_string(PoolEventKind kind);

struct PoolEvent {
  WallTime at{};
  PoolEventKind kind = PoolEventKind::kScaled;
  std::string text;
};

// Keeps one pool at the number of instances that it needs: scaling, healing and draining put
// together. It reads no clock and does nothing itself: step() is called about once a second with
// what there is, and says what there should be. What a step said and nobody brought about is said
// again by the next one.
//
// - Scaling in takes those that are missed least (choose_victims), and lets them drain.
// - An unhealthy instance is replaced: another one comes first, and it goes when as many as are
//   desired are healthy without it, or is kept if it recovers.
// - A keeper that begins takes what is there as what was decided, so that a restart scales nothing
//   in.
class PoolKeeper {
 public:
  explicit PoolKeeper(PoolKeeping settings);

  PoolOrders step(const PoolView& view);

  // An operator's word; the next decisions go on from there. kInvalid: outside of the bounds.
  Result<> scale(uint32_t count, WallTime now);
  void pause(WallTime now);
  void resume(WallTime now);

  [[nodiscard]] uint32_t desired() const { return desired_; }
  [[nodiscard]] bool paused() const { return scaler_->paused(); }
  [[nodiscard]] bool braked() const { return braked_; }
  [[nodiscard]] const PoolKeeping& settings() const { return settings_; }
  [[nodiscard]] PoolCapacity capacity() const { return capacity_; }
  [[nodiscard]] Reading signal(SignalId signal, MonotonicTime now) const {
    return signals_.average(signal, now, seconds(15));
  }
  // Of the last decision, for people; empty: there was none yet.
  [[nodiscard]] const std::string& explanation() const { return explanation_; }
  // What happened since the last call, in its order.
  std::vector<PoolEvent> take_events() { return std::exchange(events_, {}); }
  [[nodiscard]] InstanceHealth::State health_of(const InstanceView& instance) const;
  // It drains, or has been asked to end.
  [[nodiscard]] bool is_leaving(const InstanceView& instance) const;

 private:
  struct Draining {
    MonotonicTime since;
    MonotonicTime until;
    bool removed = false;  // has been ordered to go
  };
  struct Known {
    int process_id = 0;
    MonotonicTime since;  // when this process was seen first
    bool was_up = false;
  };

  void get_to_know(const PoolView& view);
  void measure(const PoolView& view);
  void heal(const PoolView& view);
  void finish_replacements(const PoolView& view);
  void decide(const PoolView& view);
  void drain_surplus(const PoolView& view);
  void drain(const InstanceId& id, MonotonicTime now, std::string_view why);
  [[nodiscard]] PoolOrders orders(const PoolView& view);
  [[nodiscard]] bool is_replaced(const InstanceId& id) const { return replacing_.contains(id); }
  [[nodiscard]] uint32_t count(const PoolView& view, InstanceHealth::State state) const;
  void note(PoolEventKind kind, std::string text);

  PoolKeeping settings_;
  std::unique_ptr<Scaler> scaler_;
  Healer healer_;
  LoadMeter meter_;
  PoolSignals signals_;
  uint32_t desired_ = 0;
  bool began_ = false;
  bool braked_ = false;
  PoolCapacity capacity_;
  MonotonicTime now_{};  // of the last step
  WallTime wall_{};
  MonotonicTime next_decision_{};
  std::map<InstanceId, Known> known_;
  std::map<InstanceId, Draining> draining_;
  std::map<InstanceId, MonotonicTime> replacing_;  // since
  std::string explanation_;
  std::vector<PoolEvent> events_;
};

}  // namespace partywall::fleet
