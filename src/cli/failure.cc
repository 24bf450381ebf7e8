#include "cli/failure.h"

#include <cstdio>

#include "cli/exit_code.h"

namespace partywall::cli {

int failed(std::string_view command, const Error& error) {
  fmt::print(stderr, "partywall {}: {}\n", command, error.message);
  switch (error.kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
      return kExitUnavailable;
    case ErrorKind::kConflict:
      return kExitConflict;
    default:
      return kExitFailure;
  }
}

int wrong_usage(std::string_view command, const Error& error) {
  (void)failed(command, error);
  return kExitUsage;
}

}  // namespace partywall::cli
