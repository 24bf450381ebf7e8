#include "http/proxy/problem.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/json_writer.h"

namespace partywall::http {
namespace {

constexpr std::array<ProblemInfo, std::to_underlying(Problem::kCount)> kProblems = {{
    {400, "bad-request", "The request is not valid HTTP"},
    {401, "token-missing", "A bearer token is needed"},
    {401, "token-invalid", "The bearer token is not accepted"},
    {403, "tenant-unknown", "The token's tenant does not exist here"},
    {403, "tenant-suspended", "The tenant is not served at present"},
    {403, "tenant-read-only", "The tenant may only read at present"},
    {404, "route-not-found", "No route leads there"},
    {408, "request-timeout", "The request did not arrive in time"},
    {413, "body-too-large", "The request body is larger than allowed"},
    {414, "target-too-long", "The request target is longer than allowed"},
    {417, "expectation-failed", "The expectation cannot be met"},
    {429, "rate-limited", "The tenant's request rate is exceeded"},
    {429, "too-many-concurrent-requests", "The tenant has too many requests under way"},
    {431, "headers-too-large", "The request's headers are larger than allowed"},
    {500, "internal", "The gateway failed"},
    {501, "not-implemented", "The gateway does not do this"},
    {502, "upstream-failed", "The application did not answer correctly"},
    {503, "no-instance", "No instance of the application is available"},
    {503, "overloaded", "The application has as many requests under way as it may"},
    {504, "upstream-timeout", "The application did not answer in time"},
    {505, "version-not-supported", "This version of HTTP is not spoken here"},
}};

struct Reason {
  uint16_t status;
  std::string_view phrase;
};

constexpr std::array kReasons = {
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{408, "Request Timeout"},
    Reason{413, "Content Too Large"},
    Reason{414, "URI Too Long"},
    Reason{417, "Expectation Failed"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
};

// RFC 6750 section 3.
std::string_view challenge(Problem problem) {
  switch (problem) {
    case Problem::kTokenMissing:
      return "WWW-Authenticate: Bearer realm=\"partywall\"\r\n";
    case Problem::kTokenInvalid:
      return "WWW-Authenticate: Bearer realm=\"partywall\", error=\"invalid_token\"\r\n";
    default:
      return {};
  }
}

std::string problem_document(const ProblemInfo& info, const ProblemAnswer& answer) {
  std::string document;
  JsonWriter(document)
      .begin_object()
      .key("type")
      .value(std::string(kProblemTypePrefix).append(info.name))
      .key("title")
      .value(info.title)
      .key("status")
      .value(unsigned{info.status})
      .key("detail")
      .value(answer.detail)
      .key("request_id")
      .value(answer.request_id)
      .end_object();
  document += '\n';
  return document;
}

// RFC 9110 section 10.2.3: whole seconds; rounded up, so that who waits that long is admitted.
int64_t whole_seconds_up(Duration duration) {
  return std::max<int64_t>(1, std::chrono::ceil<seconds>(duration).count());
}

}  // namespace

const ProblemInfo& describe(Problem problem) { return kProblems[std::to_underlying(problem)]; }

Problem problem_of_status(uint16_t status) {
  switch (status) {
    case 413:
      return Problem::kBodyTooLarge;
    case 414:
      return Problem::kTargetTooLong;
    case 417:
      return Problem::kExpectationFailed;
    case 431:
      return Problem::kHeadersTooLarge;
    case 501:
      return Problem::kNotImplemented;
    case 505:
      return Problem::kVersionNotSupported;
    default:
      return Problem::kBadRequest;
  }
}

std::string_view reason_phrase(uint16_t status) {
  const auto found = std::ranges::find(kReasons, status, &Reason::status);
  return found == kReasons.end() ? std::string_view() : found->phrase;
}

void append_problem(std::string& out, const ProblemAnswer& answer, Persistence persistence,
                    AnswerBody body) {
  const ProblemInfo& info = describe(answer.problem);
  const std::string document = problem_document(info, answer);
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: application/problem+json\r\n"
                 "Content-Length: {}\r\nCache-Control: no-store\r\n",
                 info.status, reason_phrase(info.status), answer.date, document.size());
  if (answer.retry_after) {
    fmt::format_to(to, "Retry-After: {}\r\n", whole_seconds_up(*answer.retry_after));
  }
  out += challenge(answer.problem);
  out += answer.extra_fields;
  if (persistence == Persistence::kClose) out += "Connection: close\r\n";
  out += "\r\n";
  if (body == AnswerBody::kSent) out += document;
}

}  // namespace partywall::http
