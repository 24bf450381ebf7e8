#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "net/event.h"
#include "policy/fair_queue.h"

namespace partywall::http {

class PoolSlots;

// The right to have one request under way at the instances of a pool.
class [[nodiscard]] PoolSlot {
 public:
  PoolSlot() = default;
  PoolSlot(PoolSlot&& other) noexcept = default;
  PoolSlot& operator=(PoolSlot&& other) noexcept {
    if (this != &other) {
      release();
      slots_ = std::move(other.slots_);
    }
    return *this;
  }
  ~PoolSlot() { release(); }

  [[nodiscard]] bool held() const { return slots_ != nullptr; }
  void release();

 private:
  friend class PoolSlots;
  explicit PoolSlot(std::shared_ptr<PoolSlots> slots) : slots_(std::move(slots)) {}
  std::shared_ptr<PoolSlots> slots_;
};

// How many requests one worker may have under way at a pool, and who gets the next place when there
// are more: the tenants in turn, each as often as its weight says (FairQueue), so that a tenant
// with a thousand requests waiting does not delay one with a single request. Belongs to its
// worker's thread.
class PoolSlots : public std::enable_shared_from_this<PoolSlots> {
 public:
  // A request's place in the queue. Its end leaves the queue.
  class Place {
   public:
    Place(PoolSlots& slots, net::Event& wake) : slots_(slots), wake_(wake) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { slots_.queue_.remove(ticket_); }

    [[nodiscard]] bool has_turn() const { return slot_.held(); }
    [[nodiscard]] PoolSlot take_slot() { return std::move(slot_); }

   private:
    friend class PoolSlots;
    PoolSlots& slots_;
    net::Event& wake_;
    PoolSlot slot_;
    FairQueue<Place*>::Ticket ticket_;
  };

  explicit PoolSlots(FairQueueLimits limits) : queue_(limits) {}

  // Instances come and go. More than `capacity` that are under way already go on.
  void set_capacity(uint32_t capacity);
  // Nothing if the pool is full or somebody waits: nobody overtakes them.
  std::optional<PoolSlot> try_take();
  // False: the queue is full.
  bool join(Place& place, TenantNumber tenant, uint32_t weight);

  [[nodiscard]] uint32_t in_use() const { return in_use_; }
  [[nodiscard]] size_t waiting() const { return queue_.size(); }

 private:
  friend class PoolSlot;

  PoolSlot take();
  void give_back();
  void serve();

  uint32_t capacity_ = 0;
  uint32_t in_use_ = 0;
  FairQueue<Place*> queue_;
};

}  // namespace partywall::http
