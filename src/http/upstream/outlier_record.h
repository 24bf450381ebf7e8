#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/time.h"
#include "tenancy/tenant.h"

namespace partywall::http {

// Taking an instance out because of what its requests meet, before the next check says so.
struct OutlierSettings {
  uint32_t failures = 5;           // in a row, until it is taken out; 0: never
  Duration out_for = seconds(30);  // the first time; the second time twice as long, and so on
  uint32_t most_times_longer = 10;
  Duration good_conduct = minutes(5);  // after which the count of times begins again
};

// The failures of one instance, as the requests of all workers meet them. Thread-safe; a success
// costs one load.
//
// What requests do to an instance must not let one tenant take it from the others: failures that a
// request may have caused itself (the instance broke off, said nothing, or nonsense) count only if
// they happened to more than one tenant. A connection that is refused is nobody's doing.
class OutlierRecord {
 public:
  enum class Failure : uint8_t { kNoConnection, kBrokenExchange };

  void succeeded() {
    if (failures_.load(std::memory_order_relaxed) != 0) forget();
  }
  // True: it shall be taken out, if its pool can spare it.
  bool failed(Failure failure, TenantNumber tenant, const OutlierSettings& settings);
  void take_out(MonotonicTime now, const OutlierSettings& settings);
  [[nodiscard]] bool is_out(MonotonicTime now) const {
    return now.time_since_epoch().count() < out_until_ns_.load(std::memory_order_relaxed);
  }
  // It has proved itself to a request.
  void forget();
  // It has proved itself to the checks, after they had found it bad: it is another process,
  // perhaps.
  void come_back();

 private:
  std::atomic<uint32_t> failures_{0};  // in a row
  std::atomic<int64_t> out_until_ns_{0};
  std::mutex mutex_;  // of what follows, and of changes to what precedes
  TenantNumber tenant_;
  bool of_one_tenant_ = true;  // all failures of this run, and of a kind that it may have caused
  uint32_t times_out_ = 0;
};

}  // namespace partywall::http
