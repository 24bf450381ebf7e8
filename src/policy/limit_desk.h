#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "policy/limit_kind.h"
#include "policy/tenant_states.h"

namespace partywall {

// A limit of a tenant about which the limits store shall be asked.
struct LimitAsk {
  static constexpr uint32_t kNobody = UINT32_MAX;

  TenantNumber number;
  TenantId id;
  LimitKind kind = LimitKind::kHttpRate;
  RateLimit rate{};         // of the kinds that count tokens
  uint32_t slots = 0;       // of the others
  uint32_t desk = kNobody;  // who waits for the answer
};

// Where desks ask. Thread-safe, and never waits.
class LimitAsks {
 public:
  virtual ~LimitAsks() = default;
  virtual void ask(const LimitAsk& ask) = 0;
};

// Somebody who waits until the limits store has answered. Stops waiting at the end of its life.
class LimitWaiter {
 public:
  LimitWaiter() = default;
  LimitWaiter(const LimitWaiter&) = delete;
  LimitWaiter& operator=(const LimitWaiter&) = delete;
  virtual ~LimitWaiter() { stop_waiting(); }

  // Look again. It no longer waits then.
  virtual void limit_answered() = 0;
  [[nodiscard]] bool is_waiting() const { return line_ != nullptr; }
  void stop_waiting();

 private:
  friend class LimitDesk;
  std::vector<LimitWaiter*>* line_ = nullptr;
  size_t place_ = 0;
  std::atomic<uint32_t>* count_ = nullptr;
};

// Asks for the limits of tenants, for the sessions of one worker: each request is admitted,
// refused, or has to wait for the limits store (never longer than the store's time-out). Belongs to
// its worker's thread.
class LimitDesk {
 public:
  // The node is alone: nothing ever waits.
  explicit LimitDesk(TenantStates& states) : states_(states) {}
  // `shared` and `asks` outlive the desk.
  LimitDesk(TenantStates& states, const SharedLimits& shared, LimitAsks& asks)
      : states_(states), shared_(&shared), asks_(&asks) {}
  LimitDesk(const LimitDesk&) = delete;
  LimitDesk& operator=(const LimitDesk&) = delete;
  ~LimitDesk();

  // One token of kHttpRate or kCacheRate.
  RateDecision admit(const Tenant& tenant, LimitKind kind, MonotonicTime now);
  struct Acquired {
    std::optional<ConcurrencyUnits> units;
    bool pending = false;
    bool may_come = false;  // refused now, but other nodes may give some back: worth a wait()
  };
  // One unit of kHttpRequests or kSqlConnections. `limit` is the tenant's.
  Acquired acquire(const LimitAsk& what, MonotonicTime now);

  // Calls the waiter when the store has answered about this limit: the next answer may still be
  // that there is nothing, then it waits again.
  void wait(const LimitAsk& what, LimitWaiter& waiter);

  // Its number among those whom the agent wakes. Set once, before the first request.
  void set_number(uint32_t number) { number_ = number; }
  // The store has answered, or is away.
  void answered(TenantNumber number, LimitKind kind);

 private:
  [[nodiscard]] static uint64_t key(TenantNumber number, LimitKind kind) {
    return uint64_t{number.value()} << 8 | static_cast<uint64_t>(kind);
  }
  LeaseSignals& signals_of(TenantNumber number, LimitKind kind);

  TenantStates& states_;
  const SharedLimits* shared_ = nullptr;
  LimitAsks* asks_ = nullptr;
  uint32_t number_ = LimitAsk::kNobody;
  std::unordered_map<uint64_t, std::vector<LimitWaiter*>> lines_;
};

// What to ask the store about a tenant's limit.
LimitAsk ask_about(const Tenant& tenant, LimitKind kind);

}  // namespace partywall
