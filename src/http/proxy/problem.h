#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/proxy/persistence.h"

namespace partywall::http {

// Everything that the door answers by itself. docs/http-door.md explains each to users; the type of
// the problem document (RFC 9457) is kProblemTypePrefix and the name.
enum class Problem : uint8_t {
  kBadRequest,
  kTokenMissing,
  kTokenInvalid,
  kTenantUnknown,
  kTenantSuspended,
  kTenantReadOnly,
  kRouteNotFound,
  kRequestTimeout,
  kBodyTooLarge,
  kTargetTooLong,
  kExpectationFailed,
  kRateLimited,
  kTooManyRequests,
  kHeadersTooLarge,
  kInternal,
  kNotImplemented,
  kUpstreamFailed,
  kNoInstance,
  kOverloaded,
  kUpstreamTimeout,
  kVersionNotSupported,
  kCount,
};

struct ProblemInfo {
  uint16_t status;
  std::string_view name;   // stable: clients may compare it
  std::string_view title;  // the same for every occurrence
};

inline constexpr std::string_view kProblemTypePrefix = "urn:partywall:problem:";

[[nodiscard]] const ProblemInfo& describe(Problem problem);
// The problem that fits a fault of the codec.
[[nodiscard]] Problem problem_of_status(uint16_t status);
// The reason phrase of a status that the door uses.
[[nodiscard]] std::string_view reason_phrase(uint16_t status);

// One answer of the door's own.
struct ProblemAnswer {
  Problem problem = Problem::kInternal;
  std::string_view detail;  // about this occurrence, for the caller's eyes
  std::string_view request_id;
  std::string_view extra_fields;  // whole lines with CRLF
  std::string_view date;          // IMF-fixdate
  std::optional<Duration> retry_after;
};

// Writes the whole response; without the body if the request was HEAD.
void append_problem(std::string& out, const ProblemAnswer& answer, Persistence persistence,
                    AnswerBody body);

}  // namespace partywall::http
