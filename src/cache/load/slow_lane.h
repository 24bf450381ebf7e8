#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "cache/waker.h"
#include "policy/fair_queue.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

struct SlowLaneLimits {
  uint32_t at_once = 64;            // of all tenants
  uint32_t at_once_of_tenant = 16;  // of one
  FairQueueLimits waiting;
};

// How many commands that may take long are at one Redis at once, from one worker. Redis carries out
// all that it has read of a connection before it looks at the next one, so a tenant with hundreds
// of slow commands under way would hold up everybody. Where there is no room, tenants have their
// turns by weight, however much each has waiting.
class SlowLane {
 public:
  explicit SlowLane(SlowLaneLimits limits) : limits_(limits), queue_(limits.waiting) {}
  SlowLane(const SlowLane&) = delete;
  SlowLane& operator=(const SlowLane&) = delete;

  // What one session has there, or waits for. Gives all of it back at its end. The lane and the
  // waker outlive it.
  class Place {
   public:
    explicit Place(Waker& waker) : waker_(waker) {}
    ~Place() { leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // For the command that is looked at now.
    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] bool waits() const { return waits_; }
    [[nodiscard]] bool pending() const { return ready_ || waits_; }
    // That command is sent.
    void use() {
      used_ += ready_ ? 1 : 0;
      ready_ = false;
    }
    // It is not sent after all.
    void cancel();
    [[nodiscard]] bool in_use() const { return used_ > 0; }
    // All that were sent are answered.
    void answered();
    void leave() {
      cancel();
      answered();
    }

   private:
    friend class SlowLane;
    Waker& waker_;
    std::shared_ptr<SlowLane> lane_;
    TenantNumber tenant_;
    FairQueue<Place*>::Ticket ticket_;
    uint32_t used_ = 0;
    bool ready_ = false;
    bool waits_ = false;
  };

  enum class Entry { kReady, kWaits, kFull };
  struct Asked {
    TenantNumber tenant;
    uint32_t weight = 1;
    bool heavy = false;  // the tenant has used much of Redis's time: its commands go one by one
  };
  // kWaits: the waker is called when there is room. kFull: too many wait already. As long as
  // something is under way, a place stays in the lane that it is in.
  static Entry enter(const std::shared_ptr<SlowLane>& wanted, const Asked& asked, Place& place);

  [[nodiscard]] size_t waiting() const { return queue_.size(); }
  [[nodiscard]] uint32_t under_way() const { return under_way_; }

 private:
  struct State {
    uint32_t under_way = 0;
    uint32_t most = 0;
  };

  [[nodiscard]] bool has_room(TenantNumber tenant) const;
  void take(Place& place);
  void give_back(TenantNumber tenant, uint32_t count);
  void let_in();

  SlowLaneLimits limits_;
  FairQueue<Place*> queue_;
  std::unordered_map<TenantNumber, State> tenants_;  // that have something under way or waiting
  uint32_t under_way_ = 0;
};

// Of one worker, by the name of the cache instance.
class SlowLanes {
 public:
  explicit SlowLanes(SlowLaneLimits limits = {}) : limits_(limits) {}
  std::shared_ptr<SlowLane> of(const std::string& route) {
    std::shared_ptr<SlowLane>& lane = lanes_[route];
    if (lane == nullptr) lane = std::make_shared<SlowLane>(limits_);
    return lane;
  }

 private:
  SlowLaneLimits limits_;
  std::unordered_map<std::string, std::shared_ptr<SlowLane>> lanes_;
};

}  // namespace partywall::cache
