#pragma once

#include <cstdint>

namespace partywall::http {

enum class Health : uint8_t {
  kUnknown,  // not yet judged: gets no requests
  kUp,
  kDown,
};

// Judges an instance from the results of its checks: `rise` successes in a row until it is up,
// `fall` failures in a row until it is down.
class HealthTracker {
 public:
  HealthTracker(uint32_t rise, uint32_t fall) : rise_(rise), fall_(fall) {}

  // Returns the health after this result.
  Health record_success();
  Health record_failure();
  [[nodiscard]] Health health() const { return health_; }

 private:
  uint32_t rise_;
  uint32_t fall_;
  uint32_t successes_ = 0;  // in a row
  uint32_t failures_ = 0;
  Health health_ = Health::kUnknown;
};

}  // namespace partywall::http
