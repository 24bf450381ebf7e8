#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "policy/fair_queue.h"
#include "tenancy/tenant.h"

namespace partywall::sql {

struct PoolLimits {
  FairQueueLimits queue;
  uint32_t max_connecting = 4;                 // logins under way at once
  Duration first_backoff = milliseconds(100);  // after a failed login, doubled each time
  Duration longest_backoff = seconds(5);
  Duration slot_rest =
      milliseconds(50);  // after a connection was closed its role may still be in use
};

// Somebody who waits for a server connection. Outlives its place in the queue.
struct PoolWaiter {
  TenantId tenant;      // the nil id: a connection with an empty register
  TenantNumber number;  // for its place in the queue
  uint32_t weight = 1;
};

// Which server connection is for whom: the decisions of one worker's pool for one database, without
// I/O. Each connection has a slot (a server role of its own). A waiter gets, in this order, a
// connection that its own tenant used last, a clean one, or the one that has been idle longest,
// after a reset. Waiters of different tenants are served in fair order.
class PoolPlan {
 public:
  using Slot = uint32_t;
  enum class Action : uint8_t {
    kNothing,
    kGrant,    // `slot` to `waiter`
    kReset,    // `slot`; then to `waiter` if there is one
    kConnect,  // `slot`
  };
  struct Step {
    Action action = Action::kNothing;
    Slot slot = 0;
    PoolWaiter* waiter = nullptr;
  };
  enum class Cleanliness : uint8_t { kClean, kBound, kSoiled };

  PoolPlan(uint32_t slots, PoolLimits limits);

  // For somebody who need not wait, because nobody does: a grant, a reset, or nothing is idle.
  Step take_idle(PoolWaiter& waiter);

  using Queue = FairQueue<PoolWaiter*>;
  std::expected<Queue::Ticket, FairQueueFull> enqueue(PoolWaiter& waiter) {
    return queue_.push(waiter.number, waiter.weight, &waiter);
  }
  void leave(Queue::Ticket ticket) { queue_.remove(ticket); }

  // What to do now; ask again until there is nothing. `may_serve` says whether a tenant may have
  // one more connection; if so, it will get it.
  Step next(MonotonicTime now, const std::function<bool(TenantNumber)>& may_serve);

  // --- What has happened to a slot.
  void connected(Slot slot, MonotonicTime now);
  void connect_failed(Slot slot, MonotonicTime now);
  // Its role is still in use by a session that was left: that says nothing about the server.
  void role_in_use(Slot slot, MonotonicTime now);
  // Why its login failed is mended: it may be tried again at once.
  void repaired(Slot slot, MonotonicTime now);
  // Makes the first connection without anybody who waits for it.
  void want_one() { wants_one_more_ |= open() == 0; }
  // Given back by its user, or reset: nobody has it now.
  void idle(Slot slot, Cleanliness cleanliness, TenantId tenant, MonotonicTime now);
  void closed(Slot slot, MonotonicTime now);
  // Resets the one that has been idle longest (and at least that long), if none is clean.
  std::optional<Slot> clean_spare(MonotonicTime now, Duration idle_for);

  // What the console shows of a slot; nothing of one without a connection.
  struct SlotView {
    std::string_view state;
    std::optional<MonotonicTime> since;  // of idle ones
  };
  [[nodiscard]] std::optional<SlotView> view(Slot slot) const;

  [[nodiscard]] uint32_t count() const { return static_cast<uint32_t>(slots_.size()); }
  [[nodiscard]] uint32_t open() const;
  [[nodiscard]] uint32_t idle_count() const;
  [[nodiscard]] bool is_idle(Slot slot) const { return slots_[slot].state == State::kIdle; }
  [[nodiscard]] MonotonicTime idle_since(Slot slot) const { return slots_[slot].since; }
  [[nodiscard]] size_t waiting() const { return queue_.size(); }
  // When a slot may be connected again for those who wait; nullopt: none waits for that.
  [[nodiscard]] std::optional<MonotonicTime> next_connect() const;
  // Every login fails and no connection is left: nobody who waits will be served soon.
  [[nodiscard]] bool is_down() const { return failures_ > 0 && open() == 0 && connecting_ == 0; }
  // Takes everybody out of the queue.
  PoolWaiter* pop_any();

 private:
  enum class State : uint8_t { kEmpty, kConnecting, kIdle, kSoiled, kBusy, kResetting };
  struct SlotInfo {
    State state = State::kEmpty;
    bool is_clean = false;
    TenantId tenant;      // kIdle, not clean
    uint64_t used = 0;    // counts up with each use of any slot
    MonotonicTime since;  // kIdle: since when; kEmpty: not to be connected before
  };

  [[nodiscard]] std::optional<Slot> best_for(TenantId tenant) const;
  [[nodiscard]] std::optional<Slot> empty_slot(MonotonicTime now) const;
  Step serve(const std::function<bool(TenantNumber)>& may_serve);
  Step connect(MonotonicTime now);

  PoolLimits limits_;
  Queue queue_;
  std::vector<SlotInfo> slots_;
  uint64_t uses_ = 0;
  uint32_t connecting_ = 0;
  uint32_t failures_ = 0;  // logins in a row
  bool wants_one_more_ = false;
  MonotonicTime no_connect_before_;
};

}  // namespace partywall::sql
