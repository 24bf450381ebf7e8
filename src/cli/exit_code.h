#pragma once

// What the process ends with; scripts rely on it.
namespace partywall::cli {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure =
    1;  // the command ran and did not succeed; the reason is on standard error
inline constexpr int kExitUsage = 2;  // the command line makes no sense
// Of commands that ask the control plane:
inline constexpr int kExitNotFound = 3;  // what was named is not there
inline constexpr int kExitDenied = 4;    // not authenticated, or not allowed
inline constexpr int kExitConflict = 5;  // in conflict with what there is now
// Of any command:
inline constexpr int kExitUnavailable = 6;  // what it asks does not answer; try again

}  // namespace partywall::cli
