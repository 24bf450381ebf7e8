#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "admin/message.h"
#include "base/result.h"

namespace partywall::admin {

// A failure with the status and the problem type (RFC 9457) that the caller gets. The detail is
// `message`: for the caller's eyes.
struct ApiError : Error {
  uint16_t status = 500;
  std::string_view name = "internal";  // of the problem type: stable
  std::string_view title = "Internal Server Error";
  Headers headers{};

  ApiError() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): every failure of a part below has an answer.
  ApiError(const Error& error);
  ApiError(uint16_t with_status, std::string_view problem_name, std::string_view problem_title,
           std::string text);
};

template <class T = void>
using ApiResult = std::expected<T, ApiError>;

[[nodiscard]] std::unexpected<ApiError> refuse(ApiError error);

// The usual ones.
ApiError not_authenticated(std::string text);
ApiError forbidden(std::string text);
ApiError invalid_body(std::string text);         // 400: not what the endpoint reads
ApiError precondition_required();                // 428
ApiError precondition_failed(std::string text);  // 412
ApiError conflict(std::string text);             // 409
ApiError too_many_requests(Duration retry_after);

Response to_response(const ApiError& error);

}  // namespace partywall::admin
