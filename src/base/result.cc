#include "base/result.h"

namespace partywall {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not found";
    case ErrorKind::kDenied:
      return "denied";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kLimit:
      return "limit";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kClosed:
      return "closed";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "unknown";
}

std::unexpected<Error> fail_with_context(std::string_view doing, const Error& cause) {
  return fail(cause.kind, fmt::format("{}: {}", doing, cause.message));
}

}  // namespace partywall
