#include "policy/gcra.h"

#include <algorithm>
#include <limits>

namespace partywall {
namespace {

constexpr int64_t kMaxNanoseconds = std::numeric_limits<int64_t>::max();

// A debt further ahead than the limit allows comes from an earlier, slower limit. It is cut down to
// the new limit's, so that a tenant who moved to a faster tier does not wait for the old one; this
// much is left alone, because threads read their clocks at slightly different times.
constexpr int64_t kClockDifferenceNs = 1'000'000'000;

int64_t saturating_multiply(int64_t a, uint32_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, static_cast<int64_t>(b), &product) ? kMaxNanoseconds : product;
}

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kMaxNanoseconds : sum;
}

// Time per token, rounded up: the rate granted is never above the one asked for.
int64_t emission_interval_ns(const RateLimit& limit) {
  const int64_t period = std::max<int64_t>(limit.period.count(), 1);
  return period / limit.tokens + (period % limit.tokens != 0 ? 1 : 0);
}

uint32_t tokens_in(int64_t time_ns, int64_t interval_ns) {
  return static_cast<uint32_t>(
      std::min<int64_t>(time_ns / interval_ns, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

RateDecision Gcra::admit(const RateLimit& limit, MonotonicTime now, uint32_t cost) {
  if (limit.tokens == 0 || cost > limit.burst) return {.retry_after = Duration::max()};
  const int64_t interval = emission_interval_ns(limit);
  const int64_t increment = saturating_multiply(interval, cost);
  const int64_t tolerance = saturating_multiply(interval, limit.burst);
  const int64_t now_ns = now.time_since_epoch().count();

  int64_t arrival = theoretical_arrival_ns_.load(std::memory_order_relaxed);
  while (true) {
    const int64_t debt = std::max(arrival, now_ns) - now_ns;
    const int64_t new_debt = saturating_add(debt, increment);
    if (new_debt > tolerance) {
      if (debt <= saturating_add(tolerance, kClockDifferenceNs)) {
        return {.retry_after = Duration(new_debt - tolerance),
                .remaining = tokens_in(std::max<int64_t>(tolerance - debt, 0), interval),
                .reset_after = Duration(debt)};
      }
      const int64_t reduced = saturating_add(now_ns, tolerance);
      if (theoretical_arrival_ns_.compare_exchange_weak(arrival, reduced,
                                                        std::memory_order_relaxed)) {
        arrival = reduced;
      }
      continue;
    }
    if (theoretical_arrival_ns_.compare_exchange_weak(arrival, saturating_add(now_ns, new_debt),
                                                      std::memory_order_relaxed)) {
      return {.admitted = true,
              .remaining = tokens_in(tolerance - new_debt, interval),
              .reset_after = Duration(new_debt)};
    }
  }
}

uint32_t Gcra::available(const RateLimit& limit, MonotonicTime at) const {
  if (limit.tokens == 0) return 0;
  const int64_t interval = emission_interval_ns(limit);
  const int64_t tolerance = saturating_multiply(interval, limit.burst);
  const int64_t at_ns = at.time_since_epoch().count();
  const int64_t arrival = theoretical_arrival_ns_.load(std::memory_order_relaxed);
  return tokens_in(std::max<int64_t>(tolerance - (std::max(arrival, at_ns) - at_ns), 0), interval);
}

void Gcra::begin_with(const RateLimit& limit, uint32_t tokens, MonotonicTime at) {
  if (limit.tokens == 0 || tokens >= limit.burst) return;
  const int64_t debt = saturating_multiply(emission_interval_ns(limit), limit.burst - tokens);
  const int64_t least = saturating_add(at.time_since_epoch().count(), debt);
  int64_t arrival = theoretical_arrival_ns_.load(std::memory_order_relaxed);
  while (arrival < least && !theoretical_arrival_ns_.compare_exchange_weak(
                                arrival, least, std::memory_order_relaxed)) {
  }
}

}  // namespace partywall
