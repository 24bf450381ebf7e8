#include "fleet/rollout/analysis.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fleet/rollout/statistics.h"

namespace partywall::fleet {
namespace {

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double p99(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto at =
      static_cast<std::ptrdiff_t>(std::ceil(0.99 * static_cast<double>(values.size())) - 1);
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<size_t>(at)];
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kInconclusive:
      return "inconclusive";
  }
  return "unknown";
}

Analysis analyse(const VersionSample& canary, const VersionSample& baseline,
                 const AnalysisSettings& settings) {
  Analysis result;
  const double canary_errors = share(canary.errors, canary.requests);
  const double baseline_errors = share(baseline.errors, baseline.requests);
  const double canary_p99 = p99(canary.latencies);
  const double baseline_p99 = p99(baseline.latencies);
  const auto end = [&](Verdict verdict, std::string reason) {
    result.verdict = verdict;
    result.reason = std::move(reason);
    return result;
  };

  if (canary.requests >= settings.guard_least_requests) {
    if (canary_errors > settings.most_errors) {
      return end(Verdict::kFail, fmt::format("{:.2f} % errors, above the guard rail of {:.2f} %",
                                             100 * canary_errors, 100 * settings.most_errors));
    }
    if (canary_p99 > settings.most_p99_seconds) {
      return end(Verdict::kFail, fmt::format("p99 {:.3f} s, above the guard rail of {:.3f} s",
                                             canary_p99, settings.most_p99_seconds));
    }
  }
  if (canary.requests < settings.least_requests || baseline.requests < settings.least_requests) {
    return end(Verdict::kInconclusive,
               fmt::format("{} requests to the canary and {} to the baseline; it takes {} of each",
                           canary.requests, baseline.requests, settings.least_requests));
  }
  result.error_p =
      fisher_p_worse(canary.errors, canary.requests, baseline.errors, baseline.requests);
  result.latency_p = mann_whitney_p_larger(canary.latencies, baseline.latencies);
  if (result.error_p < settings.significance &&
      canary_errors > baseline_errors + settings.tolerated_errors) {
    return end(Verdict::kFail,
               fmt::format("{:.2f} % errors against {:.2f} % (p = {:.4f})", 100 * canary_errors,
                           100 * baseline_errors, result.error_p));
  }
  if (result.latency_p < settings.significance &&
      canary_p99 > baseline_p99 * settings.tolerated_slowdown) {
    return end(Verdict::kFail, fmt::format("p99 {:.3f} s against {:.3f} s (p = {:.4f})", canary_p99,
                                           baseline_p99, result.latency_p));
  }
  if (canary.latencies.empty() || baseline.latencies.empty()) {
    return end(Verdict::kInconclusive, "no latencies were measured");
  }
  return end(Verdict::kPass,
             fmt::format("{:.2f} % errors against {:.2f} %, p99 {:.3f} s against {:.3f} s",
                         100 * canary_errors, 100 * baseline_errors, canary_p99, baseline_p99));
}

}  // namespace partywall::fleet
