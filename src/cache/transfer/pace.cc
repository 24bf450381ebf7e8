#include "cache/transfer/pace.h"

namespace partywall::cache {

void Pace::moved(uint64_t bytes) {
  total_ += bytes;
  if (bytes_per_second_ == 0) return;
  const auto due = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      static_cast<double>(total_) / static_cast<double>(bytes_per_second_)));
  const Duration ahead = begun_ + due - time_.monotonic();
  constexpr Duration kWorthIt = milliseconds(1);
  if (ahead >= kWorthIt) sleep_(ahead);
}

}  // namespace partywall::cache
