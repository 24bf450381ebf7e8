#include "admin/api/api_error.h"

#include <fmt/format.h>

namespace partywall::admin {

namespace {

struct Meaning {
  uint16_t status;
  std::string_view name;
  std::string_view title;
};

Meaning meaning_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return {422, "invalid", "Not acceptable as it is"};
    case ErrorKind::kNotFound:
      return {404, "not-found", "Not found"};
    case ErrorKind::kDenied:
      return {403, "forbidden", "Not allowed"};
    case ErrorKind::kConflict:
      return {409, "conflict", "In conflict with what there is"};
    case ErrorKind::kLimit:
      return {409, "no-room", "A bound is reached"};
    case ErrorKind::kTimeout:
    case ErrorKind::kClosed:
    case ErrorKind::kUnavailable:
      return {503, "unavailable", "A part that is needed does not work now"};
    case ErrorKind::kInternal:
      break;
  }
  return {500, "internal", "Internal Server Error"};
}

}  // namespace

ApiError::ApiError(const Error& error) : Error(error) {
  const Meaning meaning = meaning_of(error.kind);
  status = meaning.status;
  name = meaning.name;
  title = meaning.title;
  if (status == 503) headers.emplace_back("Retry-After", "1");
}

ApiError::ApiError(uint16_t with_status, std::string_view problem_name,
                   std::string_view problem_title, std::string text)
    : Error{ErrorKind::kInvalid, std::move(text)},
      status(with_status),
      name(problem_name),
      title(problem_title) {}

std::unexpected<ApiError> refuse(ApiError error) { return std::unexpected(std::move(error)); }

ApiError not_authenticated(std::string text) {
  ApiError error(401, "not-authenticated", "Who are you?", std::move(text));
  error.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"partywall\"");
  return error;
}

ApiError forbidden(std::string text) { return {403, "forbidden", "Not allowed", std::move(text)}; }

ApiError invalid_body(std::string text) {
  return {400, "bad-request", "Bad Request", std::move(text)};
}

ApiError precondition_required() {
  return {428, "precondition-required", "Say which version you change",
          "Send If-Match with the ETag that you read, or \"*\" to change whatever is there."};
}

ApiError precondition_failed(std::string text) {
  return {412, "changed-meanwhile", "It is not what you read any more", std::move(text)};
}

ApiError conflict(std::string text) {
  return {409, "conflict", "In conflict with what there is", std::move(text)};
}

ApiError too_many_requests(Duration retry_after) {
  ApiError error(429, "too-many-requests", "Too many requests",
                 "You send more requests than the admin API takes from one caller.");
  const auto whole = std::chrono::ceil<seconds>(retry_after).count();
  error.headers.emplace_back("Retry-After", fmt::format("{}", std::max<int64_t>(1, whole)));
  return error;
}

Response to_response(const ApiError& error) {
  Response response = problem(error.status, error.title, error.message, error.name);
  response.headers = error.headers;
  return response;
}

}  // namespace partywall::admin
