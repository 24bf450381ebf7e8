#include "fleet/rollout/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace partywall::fleet {
namespace {

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace

double fisher_p_worse(uint64_t canary_errors, uint64_t canary_requests, uint64_t baseline_errors,
                      uint64_t baseline_requests) {
  if (canary_requests == 0 || baseline_requests == 0) return 1;
  const uint64_t errors = canary_errors + baseline_errors;
  const auto all = static_cast<double>(canary_requests + baseline_requests);
  const uint64_t most = std::min(errors, canary_requests);
  double p = 0;
  // The hypergeometric tail, from what was seen to the most that is possible.
  for (uint64_t k = canary_errors; k <= most; ++k) {
    if (errors - k > baseline_requests) continue;
    const double term = std::exp(
        log_choose(static_cast<double>(canary_requests), static_cast<double>(k)) +
        log_choose(static_cast<double>(baseline_requests), static_cast<double>(errors - k)) -
        log_choose(all, static_cast<double>(errors)));
    p += term;
    if (term < p * 1e-12) break;  // the rest falls faster than a geometric series
  }
  return std::min(p, 1.0);
}

double mann_whitney_p_larger(std::span<const double> canary, std::span<const double> baseline) {
  if (canary.empty() || baseline.empty()) return 1;
  struct Value {
    double value;
    bool of_canary;
  };
  std::vector<Value> values;
  values.reserve(canary.size() + baseline.size());
  for (const double value : canary) values.push_back({value, true});
  for (const double value : baseline) values.push_back({value, false});
  std::ranges::sort(values, {}, &Value::value);

  const auto n = static_cast<double>(values.size());
  const auto n1 = static_cast<double>(canary.size());
  const auto n2 = static_cast<double>(baseline.size());
  double rank_sum = 0;
  double ties = 0;
  for (size_t begin = 0; begin < values.size();) {
    size_t end = begin;
    double of_canary = 0;
    while (end < values.size() && values[end].value == values[begin].value) {
      if (values[end].of_canary) ++of_canary;
      ++end;
    }
    const auto tied = static_cast<double>(end - begin);
    rank_sum += of_canary * (static_cast<double>(begin + end) + 1) / 2;
    ties += tied * tied * tied - tied;
    begin = end;
  }
  const double u = rank_sum - n1 * (n1 + 1) / 2;
  const double variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;  // all values are equal
  const double z = (u - n1 * n2 / 2 - 0.5) / std::sqrt(variance);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

}  // namespace partywall::fleet
