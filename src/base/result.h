#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

// Failing is a value wherever it is normal: peer bytes, network, configuration. Exceptions are kept
// for start-up and for broken invariants.
namespace partywall {

enum class ErrorKind {
  kInvalid,      // the input breaks a rule; sending it again cannot help
  kNotFound,     // what was named does not exist
  kDenied,       // known, but not allowed
  kConflict,     // contradicts what is there: exists already, or has changed meanwhile
  kLimit,        // a configured bound is reached; later may work
  kTimeout,      // not answered in time
  kClosed,       // the peer closed the connection
  kUnavailable,  // a part that is needed does not work now
  kInternal,     // our own fault
};

std::string_view to_string(ErrorKind kind);

// `message` is for people: what happened, to what, and what to do.
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message)});
}

// fail(ErrorKind::kInvalid, "{}: no such tier", name)
template <class First, class... Rest>
[[nodiscard]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<First, Rest...> text,
                                          First&& first, Rest&&... rest) {
  return fail(kind, fmt::format(text, std::forward<First>(first), std::forward<Rest>(rest)...));
}

// Prefixes what was being done to the message of a failure that is passed on.
[[nodiscard]] std::unexpected<Error> fail_with_context(std::string_view doing, const Error& cause);

}  // namespace partywall
