#include "admin/router.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/hex.h"
#include "base/text.h"

namespace partywall::admin {
namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

// Literal segments must be equal; the values of the others are appended.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path,
          std::vector<std::string>& parameters) {
  if (pattern.size() != path.size()) return false;
  parameters.clear();
  for (size_t i = 0; i < path.size(); ++i) {
    if (!is_parameter(pattern[i])) {
      if (pattern[i] != path[i]) return false;
      continue;
    }
    auto value = decode_segment(path[i]);
    if (!value || value->empty()) return false;
    parameters.push_back(*std::move(value));
  }
  return true;
}

}  // namespace

void Router::add(Route route) {
  std::vector<std::string> segments;
  for (const std::string_view segment : split(route.pattern, '/')) segments.emplace_back(segment);
  entries_.push_back({.route = std::move(route), .segments = std::move(segments)});
}

Router::Match Router::match(Request& request) const {
  const auto path = split(request.raw_path, '/');
  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  std::string allow;
  const Entry* found = nullptr;
  std::vector<std::string> parameters;
  for (const Entry& entry : entries_) {
    if (!fits(entry.segments, path, parameters)) continue;
    if (entry.route.method != method) {
      allow += (allow.empty() ? "" : ", ") + entry.route.method;
      continue;
    }
    // A pattern with fewer parameters says more about the path.
    if (found && parameters.size() >= request.parameters.size()) continue;
    found = &entry;
    request.parameters = parameters;
  }
  if (found) return {.route = &found->route};
  if (allow.empty()) {
    return {.refusal = problem(404, "Not Found",
                               fmt::format("There is nothing at {}.", request.path), "not-found")};
  }
  Response response =
      problem(405, "Method Not Allowed", fmt::format("Use {} on {}.", allow, request.path),
              "method-not-allowed");
  response.headers.emplace_back("Allow", std::move(allow));
  return {.refusal = std::move(response)};
}

Response Router::handle(Request& request) const {
  Match matched = match(request);
  return matched.route ? matched.route->handler(request) : *std::move(matched.refusal);
}

std::optional<std::string> decode_segment(std::string_view segment) {
  std::string decoded;
  for (size_t i = 0; i < segment.size(); ++i) {
    char c = segment[i];
    if (c == '%') {
      const auto byte = decode_hex(segment.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      c = static_cast<char>(byte->front());
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

}  // namespace partywall::admin
