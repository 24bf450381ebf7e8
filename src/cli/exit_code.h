#pragma once

// What the process ends with; scripts rely on it.
namespace partywall::cli {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure =
    1;  // the command ran and did not succeed; the reason is on standard error
inline constexpr int kExitUsage = 2;  // the command line makes no sense

}  // namespace partywall::cli
