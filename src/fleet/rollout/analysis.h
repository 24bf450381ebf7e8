#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace partywall::fleet {

// What one version answered, as the http door saw it: requests of the same tenants and time.
struct VersionSample {
  uint64_t requests = 0;
  uint64_t errors = 0;            // 5xx and failures to connect
  std::vector<double> latencies;  // a uniform sample, in seconds
};

struct AnalysisSettings {
  uint64_t least_requests = 100;    // of each; fewer are no basis for anything
  double significance = 0.01;       // p below it: worse by more than chance
  double tolerated_errors = 0.005;  // the canary's error share may be that much higher
  double tolerated_slowdown = 1.1;  // its 99th percentile so many times the baseline's
  // Guard rails: beyond these it has failed whatever the statistics say.
  double most_errors = 0.05;
  double most_p99_seconds = 10;
  uint64_t guard_least_requests = 20;  // for the guard rails alone
};

enum class Verdict : uint8_t { kPass, kFail, kInconclusive };

std::string_view to_string(Verdict verdict);

struct Analysis {
  Verdict verdict = Verdict::kInconclusive;
  std::string reason;  // for people
  double error_p = 1;
  double latency_p = 1;
};

// The canary against a fresh baseline of the old version. Failing wins over everything; without
// data nothing passes.
Analysis analyse(const VersionSample& canary, const VersionSample& baseline,
                 const AnalysisSettings& settings);

}  // namespace partywall::fleet
