#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "tenancy/tenant.h"

namespace partywall::http {

// Which workers have requests that wait for units of which tenant. Units are the process's, lines
// are the workers': so a unit that comes back on one worker goes to the line whose head has waited
// longest, wherever that is. Thread-safe; while nobody waits it costs a fence and a load.
class TurnBoard {
 public:
  using WorkerNumber = uint32_t;
  // Passes the word on to the worker; called on any thread.
  using Wake = std::function<void(TenantNumber)>;

  // Before the first request.
  WorkerNumber join(Wake wake);

  // The head of the worker's line for the tenant has waited since then.
  void set(WorkerNumber worker, TenantNumber tenant, MonotonicTime since);
  // The worker has no line for the tenant any more.
  void clear(WorkerNumber worker, TenantNumber tenant);

  [[nodiscard]] bool anybody_waits(TenantNumber tenant) const;
  // Whether the next unit is for this worker's line.
  [[nodiscard]] bool is_first(WorkerNumber worker, TenantNumber tenant) const;
  // A unit has come back: wakes the line that is first.
  void freed(TenantNumber tenant) const;

 private:
  struct Place {
    WorkerNumber worker;
    MonotonicTime since;
  };
  using Places = std::vector<Place>;  // one for each worker with a line for the tenant

  [[nodiscard]] static const Place& first_of(const Places& places);

  std::atomic<size_t> lines_{0};
  mutable std::mutex mutex_;  // of what follows
  std::vector<Wake> workers_;
  std::map<TenantNumber, Places> places_;
};

}  // namespace partywall::http
