#pragma once

#include <cstdint>
#include <vector>

#include "migrate/apply/replication_frame.h"

// How far behind the source's commits the target's are.
namespace partywall::migrate {

struct LagSummary {
  uint64_t transactions = 0;
  int64_t p50_us = 0;
  int64_t p99_us = 0;
  int64_t max_us = 0;
};

// Of the transactions since the last summary. The clocks of two machines differ: what the source
// sends says what time it was there, and the least difference to our time that was ever seen is
// taken for that of the clocks (and the shortest way).
class LagMeter {
 public:
  void saw_source_time(ServerTime sent_at, ServerTime now);
  void applied(ServerTime committed_at, ServerTime now);
  [[nodiscard]] LagSummary take_summary();

 private:
  static constexpr size_t kMaxSamples = 65'536;  // beyond them only counted

  bool has_difference_ = false;
  int64_t difference_us_ = 0;
  uint64_t transactions_ = 0;
  std::vector<int64_t> samples_us_;
};

}  // namespace partywall::migrate
