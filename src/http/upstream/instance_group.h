#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "cluster/pool_load.h"
#include "http/admission/pool_slots.h"
#include "http/upstream/instance_health.h"
#include "net/stream.h"
#include "tenancy/cell.h"

namespace partywall::http {

struct ConnectionReuse {
  size_t max_idle = 256;                 // per instance and worker
  Duration max_idle_time = seconds(30);  // shorter than the application's own keep-alive time-out
};

// One instance as one worker sees it: how much this worker has under way there, and its idle
// connections.
class UpstreamInstance {
 public:
  UpstreamInstance(InstanceKey key, Endpoint endpoint, uint32_t weight,
                   std::shared_ptr<InstanceHealth> health)
      : key_(std::move(key)),
        endpoint_(std::move(endpoint)),
        weight_(weight),
        health_(std::move(health)) {}

  [[nodiscard]] const InstanceKey& key() const { return key_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] bool is_up() const { return health_->is_up(); }
  [[nodiscard]] InstanceHealth& health() const { return *health_; }
  [[nodiscard]] uint32_t weight() const { return weight_; }
  [[nodiscard]] uint32_t in_flight() const { return static_cast<uint32_t>(begun_ - ended_); }
  // Attempts of requests, over the life of this object.
  [[nodiscard]] uint64_t begun() const { return begun_; }
  [[nodiscard]] uint64_t ended() const { return ended_; }
  [[nodiscard]] uint64_t failed() const { return failed_; }
  // The attempt under way was answered with 5xx, or not answered.
  void count_failure() { ++failed_; }
  void set_weight(uint32_t weight) { weight_ = weight; }

  // The connection used last, nullptr if there is none. One that has been closed, or on which bytes
  // came that nobody asked for, is dropped: those would be taken for the answer to the next
  // request.
  std::unique_ptr<net::Stream> take_idle(MonotonicTime now, const ConnectionReuse& reuse);
  // Only for a connection whose last exchange is complete on both sides.
  void park(std::unique_ptr<net::Stream> stream, MonotonicTime now, const ConnectionReuse& reuse);
  // Closes connections that have been idle for too long.
  void close_stale(MonotonicTime now, const ConnectionReuse& reuse);
  [[nodiscard]] size_t idle_connections() const { return idle_.size(); }

 private:
  friend class InFlightUnit;

  struct Idle {
    std::unique_ptr<net::Stream> stream;
    MonotonicTime since;
  };

  InstanceKey key_;
  Endpoint endpoint_;
  uint32_t weight_;
  std::shared_ptr<InstanceHealth> health_;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;
  uint64_t failed_ = 0;
  std::vector<Idle> idle_;  // the oldest first
};

// One request under way at an instance; keeps the instance's object alive.
class [[nodiscard]] InFlightUnit {
 public:
  InFlightUnit() = default;
  explicit InFlightUnit(std::shared_ptr<UpstreamInstance> instance)
      : instance_(std::move(instance)) {
    ++instance_->begun_;
  }
  InFlightUnit(InFlightUnit&& other) noexcept = default;
  InFlightUnit& operator=(InFlightUnit&& other) noexcept {
    if (this != &other) {
      release();
      instance_ = std::move(other.instance_);
    }
    return *this;
  }
  ~InFlightUnit() { release(); }

  [[nodiscard]] UpstreamInstance& instance() const { return *instance_; }
  [[nodiscard]] bool held() const { return instance_ != nullptr; }
  void release() {
    if (instance_) ++instance_->ended_;
    instance_.reset();
  }

 private:
  std::shared_ptr<UpstreamInstance> instance_;
};

struct PoolBounds {
  uint32_t max_requests_per_instance = 0;  // under way, of one worker; 0: no bound
  FairQueueLimits queue;
};

struct BalanceSettings {
  Duration slow_start =
      minutes(5);  // until an instance that joined or recovered has its whole share
  OutlierSettings outliers;
  uint32_t max_out_percent = 50;  // of a pool, by its requests' failures
  uint32_t panic_percent = 30;    // with fewer than that healthy, the judgement is not trusted
};

// The instances of one pool, for one worker.
class InstanceGroup {
 public:
  // Takes over what stays from `before` (nullptr: nothing), with its connections and whoever waits.
  InstanceGroup(const Cell& cell, const Pool& pool, HealthRegistry& registry,
                const InstanceGroup* before, const PoolBounds& bounds = {},
                const BalanceSettings& balance = {});

  // Who may have a request under way here; nullptr: everybody. Up to date with the instances'
  // health.
  PoolSlots* slots(MonotonicTime now);
  [[nodiscard]] bool has_healthy() const;

  // The less loaded of two healthy instances drawn at random by weight ("power of two choices",
  // Mitzenmacher 2001): as good as looking at all, without herding. `except` (may be nullptr) has
  // just failed: one that is not healthy is drawn before it, because the checks may lag behind; it
  // itself only if there is no other. nullptr: none is healthy.
  //
  // Slow start: an instance that became healthy less than `slow_start` ago counts with a share of
  // its weight that grows evenly from a tenth to the whole, if there is a healthy one that is past
  // that. It is worked out anew for each pick, so that whoever joins or leaves meanwhile changes
  // nobody's schedule.
  // Instances of weight 0 drain: they get no new request, and are as good as not there.
  // Instances that are out (see failed()) are not picked, unless that would leave none. Panic: when
  // fewer than `panic_percent` are left, all that were ever judged are picked from, because it is
  // likelier that the judgement is wrong than that the rest can carry the load.
  std::shared_ptr<UpstreamInstance> pick(Random& random, MonotonicTime now,
                                         const UpstreamInstance* except = nullptr);

  // What a request met at an instance. `failed`: true if it was taken out because of that.
  static void succeeded(UpstreamInstance& instance) { instance.health().outlier.succeeded(); }
  bool failed(UpstreamInstance& instance, OutlierRecord::Failure failure, TenantNumber tenant,
              MonotonicTime now);

  // What this worker has under way, and how the instances are judged.
  [[nodiscard]] PoolLoad load(MonotonicTime now) const;

  [[nodiscard]] const std::vector<std::shared_ptr<UpstreamInstance>>& instances() const {
    return instances_;
  }

 private:
  enum class Eligible : uint8_t {
    kInUse,   // healthy and not out
    kUp,      // healthy: those in use are none
    kJudged,  // panic
  };
  enum class Wanted : uint8_t {
    kWithRoom,  // eligible, and below the bound of an instance
    kEligible,
    kOthers,
  };
  // The pool at the time of one pick.
  struct View {
    MonotonicTime now;
    Eligible eligible = Eligible::kInUse;
    bool slow_start = false;  // there is somebody to take the load meanwhile
    uint32_t healthy = 0;     // in use, or if none is, up
  };
  [[nodiscard]] View look(MonotonicTime now) const;
  [[nodiscard]] static bool is_eligible(const UpstreamInstance& instance, const View& view);
  [[nodiscard]] int64_t share_of(const UpstreamInstance& instance, const View& view) const;
  [[nodiscard]] bool fits(const UpstreamInstance& instance, Wanted wanted, const View& view) const;
  [[nodiscard]] uint64_t weight_of(const UpstreamInstance& instance, const View& view) const;
  std::shared_ptr<UpstreamInstance> draw(Random& random, const UpstreamInstance* except,
                                         Wanted wanted, const View& view) const;

  BalanceSettings balance_;
  uint32_t max_requests_per_instance_;
  std::shared_ptr<PoolSlots> slots_;
  std::vector<std::shared_ptr<UpstreamInstance>> instances_;
};

}  // namespace partywall::http
