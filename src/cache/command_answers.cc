#include "cache/command_answers.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "cache/commands/command_table.h"
#include "cache/glob.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kUnknown = "no-such-command";

std::string_view top_level(std::string_view name) { return name.substr(0, name.find('|')); }

constexpr uint16_t kOldestRedis = 700;

// Those that every Redis has which the door works with; sorted. A container belongs to them with
// one of its sub-commands.
const std::vector<std::string_view>& own_commands() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> found;
    for (const CommandRule& rule : kCommandRules) {
      if (rule.kind != CommandKind::kDenied && rule.since <= kOldestRedis)
        found.push_back(top_level(rule.name));
    }
    std::ranges::sort(found);
    const auto [first, last] = std::ranges::unique(found);
    found.erase(first, last);
    return found;
  }();
  return names;
}

bool is_own(std::string_view name) {
  return std::ranges::binary_search(own_commands(), top_level(to_lower(name)));
}

std::string list_answer(std::string_view pattern) {
  std::string names;
  size_t count = 0;
  for (const std::string_view name : own_commands()) {
    if (!glob_matches(pattern, name)) continue;
    append_bulk(names, name);
    ++count;
  }
  std::string out;
  append_array_header(out, count);
  return out + names;
}

}  // namespace

std::optional<std::string> command_answer(const Request& request) {
  std::string out;
  if (equal_ignoring_case(request.first, "count") && request.argument_count == 2) {
    append_integer(out, static_cast<int64_t>(own_commands().size()));
    return out;
  }
  if (!equal_ignoring_case(request.first, "list")) return std::nullopt;
  if (request.argument_count == 2) return list_answer("*");
  if (request.argument_count != 5) return std::nullopt;
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const bool filters = equal_ignoring_case(*cursor.next(), "filterby");
  const auto by = cursor.next();
  const auto value = cursor.next();
  if (filters && equal_ignoring_case(*by, "pattern")) return list_answer(to_lower(*value));
  if (filters && equal_ignoring_case(*by, "module")) return "*0\r\n";
  return std::nullopt;
}

std::string about_own_commands(const Request& request) {
  const bool docs = equal_ignoring_case(request.first, "docs");
  std::string out;
  if (request.argument_count <= 2) {
    append_array_header(out, 2 + own_commands().size());
    append_bulk(out, "COMMAND");
    append_bulk(out, docs ? "DOCS" : "INFO");
    for (const std::string_view name : own_commands()) append_bulk(out, name);
    return out;
  }
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index)
    append_bulk(out, index < 2 || is_own(*argument) ? *argument : kUnknown);
  return out;
}

}  // namespace partywall::cache
