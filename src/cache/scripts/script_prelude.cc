#include "cache/scripts/script_prelude.h"

#include <algorithm>

namespace partywall::cache {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The name behind the dot in "redis.call"; empty where anything else follows.
std::string_view member_in(std::string_view after_redis) {
  if (!after_redis.starts_with('.')) return {};
  after_redis.remove_prefix(1);
  const auto end = std::ranges::find_if_not(after_redis, is_name_character);
  return after_redis.substr(0, static_cast<size_t>(end - after_redis.begin()));
}

// Whatever names `redis` and then says at once which other member of it is meant cannot reach those
// two. Nothing but its name, the table of all names and what loads a text leads to it. Comments and
// strings are looked at too: that costs a script that mentions Redis there a few microseconds.
bool may_reach_what_is_taken_away(std::string_view script) {
  if (script.contains("_G") || script.contains("load")) return true;
  constexpr std::string_view kLibrary = "redis";
  for (size_t place = script.find(kLibrary); place != std::string_view::npos;
       place = script.find(kLibrary, place)) {
    place += kLibrary.size();
    const std::string_view member = member_in(script.substr(place));
    if (member.empty() || member == "log" || member == "set_repl") return true;
  }
  return false;
}

}  // namespace

std::string with_prelude(std::string_view script) {
  // Where it has no end Redis refuses the script, with the prelude as a part of it too.
  const size_t end = std::min(script.find('\n'), script.size() - 1);
  const size_t line = script.starts_with("#!") ? end + 1 : 0;
  std::string out;
  out.reserve(script.size() + kScriptPrelude.size() + kFreshRandomNumbers.size() +
              kHarmlessLibrary.size());
  out += script.substr(0, line);
  out += kScriptPrelude;
  if (script.contains("random")) out += kFreshRandomNumbers;
  if (may_reach_what_is_taken_away(script)) out += kHarmlessLibrary;
  out += script.substr(line);
  return out;
}

}  // namespace partywall::cache
