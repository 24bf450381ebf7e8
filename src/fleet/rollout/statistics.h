#pragma once

#include <cstdint>
#include <span>

// The two tests that canary analysis rests on. Both are one-sided: is the canary worse?
namespace partywall::fleet {

// Fisher's exact test: the probability to see at least this many errors in the canary if it were
// like the baseline. 1 where either has no requests.
double fisher_p_worse(uint64_t canary_errors, uint64_t canary_requests, uint64_t baseline_errors,
                      uint64_t baseline_requests);

// Mann and Whitney's U test with the normal approximation and corrections for ties and continuity:
// the probability to see the canary's values so much larger by chance. 1 where either is empty.
// Good from about 20 values each.
double mann_whitney_p_larger(std::span<const double> canary, std::span<const double> baseline);

}  // namespace partywall::fleet
