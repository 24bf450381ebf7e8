#include "cache/command_answers.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "cache/commands/command_table.h"
#include "cache/glob.h"
#include "cache/resp/resp_writer.h"
#include "cache/scripts/script_policy.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kUnknown = "no-such-command";

std::string_view top_level(std::string_view name) { return name.substr(0, name.find('|')); }

constexpr uint16_t kOldestRedis = 700;

// Those that every Redis has which the door works with; sorted. A container belongs to them with
// one of its sub-commands.
std::vector<std::string_view> find_own_commands(CacheScripts scripts) {
  std::vector<std::string_view> found;
  for (const CommandRule& rule : kCommandRules) {
    const bool is_there = rule.kind != CommandKind::kDenied && rule.since <= kOldestRedis;
    if (is_there && allows(scripts, rule.kind)) found.push_back(top_level(rule.name));
  }
  std::ranges::sort(found);
  const auto [first, last] = std::ranges::unique(found);
  found.erase(first, last);
  return found;
}

const std::vector<std::string_view>& own_commands(CacheScripts scripts) {
  static const std::vector<std::string_view> any = find_own_commands(CacheScripts::kAny);
  static const std::vector<std::string_view> functions =
      find_own_commands(CacheScripts::kFunctions);
  static const std::vector<std::string_view> none = find_own_commands(CacheScripts::kNone);
  switch (scripts) {
    case CacheScripts::kAny:
      return any;
    case CacheScripts::kFunctions:
      return functions;
    case CacheScripts::kNone:
      return none;
  }
  return none;
}

bool is_own(std::string_view name, CacheScripts scripts) {
  return std::ranges::binary_search(own_commands(scripts), top_level(to_lower(name)));
}

std::string list_answer(std::string_view pattern, CacheScripts scripts) {
  std::string names;
  size_t count = 0;
  for (const std::string_view name : own_commands(scripts)) {
    if (!glob_matches(pattern, name)) continue;
    append_bulk(names, name);
    ++count;
  }
  std::string out;
  append_array_header(out, count);
  return out + names;
}

}  // namespace

std::optional<std::string> command_answer(const Request& request, CacheScripts scripts) {
  std::string out;
  if (equal_ignoring_case(request.first, "count") && request.argument_count == 2) {
    append_integer(out, static_cast<int64_t>(own_commands(scripts).size()));
    return out;
  }
  if (!equal_ignoring_case(request.first, "list")) return std::nullopt;
  if (request.argument_count == 2) return list_answer("*", scripts);
  if (request.argument_count != 5) return std::nullopt;
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const bool filters = equal_ignoring_case(*cursor.next(), "filterby");
  const auto by = cursor.next();
  const auto value = cursor.next();
  if (filters && equal_ignoring_case(*by, "pattern")) return list_answer(to_lower(*value), scripts);
  if (filters && equal_ignoring_case(*by, "module")) return "*0\r\n";
  return std::nullopt;
}

std::string about_own_commands(const Request& request, CacheScripts scripts) {
  const bool docs = equal_ignoring_case(request.first, "docs");
  std::string out;
  if (request.argument_count <= 2) {
    append_array_header(out, 2 + own_commands(scripts).size());
    append_bulk(out, "COMMAND");
    append_bulk(out, docs ? "DOCS" : "INFO");
    for (const std::string_view name : own_commands(scripts)) append_bulk(out, name);
    return out;
  }
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index)
    append_bulk(out, index < 2 || is_own(*argument, scripts) ? *argument : kUnknown);
  return out;
}

}  // namespace partywall::cache
