#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "policy/concurrency.h"
#include "policy/rate_gate.h"
#include "policy/time_budget.h"
#include "tenancy/tenant.h"

namespace partywall {

inline constexpr Duration kSqlTimeWindow = hours(1);

// The few numbers of a tenant that all workers of the process share. Cache lines of its own, so
// that two busy tenants on two workers do not slow each other down.
struct alignas(64) TenantState {
  RateGate http_rate;
  ConcurrencyGate http_requests;
  ConcurrencyGate sql_connections;
  RateGate cache_rate;
  // Of max_cpu_seconds: over the grant of an hour the tenant comes last, over twice that it begins
  // nothing for an hour at most.
  TimeBudget sql_time{kSqlTimeWindow, 2 * kSqlTimeWindow};
};

// By tenant number; an entry never moves and is never given to another tenant. Reading takes no
// lock.
class TenantStates {
 public:
  TenantStates();
  ~TenantStates();
  TenantStates(const TenantStates&) = delete;
  TenantStates& operator=(const TenantStates&) = delete;

  // Throws std::length_error beyond kMaxTenants.
  TenantState& of(TenantNumber number);

  static constexpr uint32_t kChunkSize = 256;
  static constexpr uint32_t kMaxTenants = 1U << 20;

 private:
  using Chunk = std::array<TenantState, kChunkSize>;

  Chunk& grow(std::atomic<Chunk*>& slot);

  std::array<std::atomic<Chunk*>, kMaxTenants / kChunkSize> chunks_{};
  std::mutex grow_mutex_;
};

}  // namespace partywall
