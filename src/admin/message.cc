#include "admin/message.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_writer.h"
#include "http/proxy/problem.h"

namespace partywall::admin {
namespace {

struct Phrase {
  uint16_t status;
  std::string_view text;
};
constexpr Phrase kPhrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

Response problem(uint16_t status, std::string_view title, std::string_view detail,
                 std::string_view name) {
  Response response{.status = status, .content_type = "application/problem+json"};
  const std::string type =
      name.empty() ? "about:blank" : fmt::format("{}{}", http::kProblemTypePrefix, name);
  JsonWriter(response.body)
      .begin_object()
      .key("type")
      .value(type)
      .key("title")
      .value(title)
      .key("status")
      .value(unsigned{status})
      .key("detail")
      .value(detail)
      .end_object();
  response.body += '\n';
  return response;
}

std::string_view reason_phrase(uint16_t status) {
  const auto found = std::ranges::find(kPhrases, status, &Phrase::status);
  return found == std::end(kPhrases) ? std::string_view() : found->text;
}

}  // namespace partywall::admin
