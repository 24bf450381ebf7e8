#include "admin/api/query.h"

#include <algorithm>

#include "admin/router.h"
#include "base/base64.h"
#include "base/text.h"

namespace partywall::admin {
namespace {

constexpr size_t kMostCursorBytes = 512;

std::optional<std::string> decode(std::string_view part) {
  std::string text(part);
  std::ranges::replace(text, '+', ' ');
  return decode_segment(text);
}

}  // namespace

ApiResult<Query> Query::parse(std::string_view query, std::span<const std::string_view> known) {
  Query parsed;
  if (query.empty()) return parsed;
  for (const std::string_view pair : split(query, '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals));
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return refuse(invalid_body("the query is not encoded right"));
    if (std::ranges::find(known, std::string_view(*name)) == known.end()) {
      return refuse(invalid_body(
          fmt::format("there is no parameter '{}'{}", *name, suggestion(*name, known))));
    }
    if (!parsed.values_.emplace(*std::move(name), *std::move(value)).second)
      return refuse(invalid_body("a parameter is there twice"));
  }
  return parsed;
}

std::string Query::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second;
}

ApiResult<int64_t> Query::number(std::string_view name, int64_t usual, int64_t least,
                                 int64_t most) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return usual;
  const auto number = parse_integer<int64_t>(found->second, least, most);
  if (!number) return refuse(invalid_body(fmt::format("{}: {}", name, number.error().message)));
  return *number;
}

std::string write_cursor(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) {
    if (!joined.empty()) joined += '\n';
    joined += part;
  }
  return base64url_encode(joined);
}

ApiResult<std::vector<std::string>> read_cursor(std::string_view cursor, size_t parts) {
  const auto wrong = [] { return refuse(invalid_body("cursor: take it from the last page")); };
  if (cursor.size() > kMostCursorBytes) return wrong();
  const auto joined = base64url_decode(cursor);
  if (!joined) return wrong();
  std::vector<std::string> result;
  for (const std::string_view part : split(*joined, '\n')) result.emplace_back(part);
  if (result.size() != parts) return wrong();
  return result;
}

}  // namespace partywall::admin
