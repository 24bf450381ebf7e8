#include "cli/api_client.h"

#include <cstdio>

#include "base/json_writer.h"
#include "base/random.h"
#include "base/uuid.h"
#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

constexpr Duration kTimeout = minutes(15);  // of an apply of a large document
constexpr size_t kMostResponseBytes = size_t{256} << 20;

int exit_code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return kExitDenied;
    case 404:
      return kExitNotFound;
    case 409:
    case 412:
    case 428:
      return kExitConflict;
    case 429:
    case 503:
      return kExitUnavailable;
    default:
      return kExitFailure;
  }
}

CliError to_error(const ApiAnswer& answer) {
  const std::string* const detail = answer.body.find_string("detail");
  const std::string* const title = answer.body.find_string("title");
  std::string message = detail && !detail->empty() ? *detail : title ? *title : "";
  if (message.empty()) message = fmt::format("the API answered {}", answer.status);
  if (answer.status == 401) message += " Look at `partywall context list`.";
  return {.exit_code = exit_code_of(answer.status), .message = std::move(message)};
}

}  // namespace

int print_and_exit(const CliError& error) {
  fmt::print(stderr, "partywall: {}\n", error.message);
  return error.exit_code;
}

std::string encode_segment(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

CliResult<ApiClient> ApiClient::open(const ProfileChoice& choice, std::string reason) {
  auto profile = choose_profile(choice);
  if (!profile)
    return std::unexpected(CliError{.exit_code = kExitUsage, .message = profile.error().message});
  return ApiClient(*std::move(profile), std::move(reason));
}

CliResult<ApiAnswer> ApiClient::get(const std::string& path) {
  return call({.method = "GET", .url = profile_.url + path});
}

CliResult<ApiAnswer> ApiClient::send(std::string method, const std::string& path,
                                     const std::optional<JsonValue>& body, std::string if_match) {
  fetch::Request request{.method = std::move(method), .url = profile_.url + path};
  if (body) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = to_json_text(*body);
  }
  if (!if_match.empty()) request.headers.emplace_back("If-Match", std::move(if_match));
  if (request.method == "POST") {
    SystemRandom random;
    request.headers.emplace_back("Idempotency-Key", Uuid::random(random).to_string());
  }
  return call(std::move(request));
}

CliResult<JsonArray> ApiClient::list(const std::string& path) {
  JsonArray all;
  std::string cursor;
  while (true) {
    const char separator = path.contains('?') ? '&' : '?';
    auto page = get(cursor.empty() ? path : fmt::format("{}{}cursor={}", path, separator, cursor));
    if (!page) return std::unexpected(page.error());
    const JsonValue* const items = page->body.find("items");
    if (!items || !items->as_array())
      return std::unexpected(CliError{.message = "the API answered something that is no list"});
    for (const JsonValue& item : *items->as_array()) all.push_back(item);
    const std::string* const next = page->body.find_string("next");
    if (!next) return all;
    cursor = encode_segment(*next);
  }
}

CliResult<ApiAnswer> ApiClient::call(fetch::Request request) {
  request.timeout = kTimeout;
  request.max_response_bytes = kMostResponseBytes;
  request.headers.emplace_back("Authorization", fmt::format("Bearer {}", profile_.token.reveal()));
  if (!reason_.empty()) request.headers.emplace_back("X-Audit-Reason", reason_);
  auto response = fetch_->send(request);
  if (!response) {
    return std::unexpected(
        CliError{.exit_code = kExitUnavailable,
                 .message = fmt::format("{}: {}", profile_.url, response.error().message)});
  }
  ApiAnswer answer{.status = response->status, .body = JsonValue(), .text = response->body};
  if (auto parsed = JsonValue::parse(answer.text, {.max_bytes = kMostResponseBytes}))
    answer.body = *std::move(parsed);
  answer.etag = response->header("ETag").value_or("");
  if (answer.status >= 300) return std::unexpected(to_error(answer));
  return answer;
}

}  // namespace partywall::cli
