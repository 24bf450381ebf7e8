#include "cache/prefix/key_events.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cache/keyspace_channel.h"
#include "cache/prefix/key_prefix.h"

namespace partywall::cache {
namespace {

// All keys of prefix mode are in this database of Redis.
constexpr std::string_view kKeyspace = "__keyspace@0__:";
// Redis compares every event of the tenant with every one of its patterns.
constexpr size_t kMaxNameBytes = 1'024;

// Each byte as two of "A" to "P": behind the root of a tenant's keys stands ':' or '.', and behind
// one that another root begins with a small letter, a digit or '-'.
std::string to_capitals(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    out += static_cast<char>('A' + (byte >> 4U));
    out += static_cast<char>('A' + (byte & 0xFU));
  }
  return out;
}

std::optional<std::string> from_capitals(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = text[i] - 'A';
    const int low = text[i + 1] - 'A';
    if (high < 0 || high > 0xF || low < 0 || low > 0xF) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string asked_text(KeyEvents::As as, std::string_view name) {
  return to_capitals(std::string(1, static_cast<char>(as)).append(name));
}

}  // namespace

std::string KeyEvents::begin() const { return std::string(kKeyspace) + root_; }

std::optional<std::string> KeyEvents::channel_to_redis(std::string_view channel) const {
  const auto parsed = parse_keyspace_channel(channel);
  if (!present() || !parsed || parsed->kind != "space") return std::nullopt;
  const auto number = parse_unsigned(parsed->database);
  if (!number || *number >= databases_) return std::nullopt;
  const std::string prefix = key_prefix(root_, static_cast<uint32_t>(*number));
  return std::string(kKeyspace).append(prefix).append(parsed->rest);
}

Result<std::optional<std::string>> KeyEvents::to_pattern(As as, std::string_view name) const {
  const auto parsed = parse_keyspace_channel(name);
  if (!present() || !parsed || (as == As::kChannel && parsed->kind != "event"))
    return std::optional<std::string>();
  const bool any = as == As::kPattern && (parsed->database.empty() || parsed->database == "*");
  const auto number = any ? Result<uint64_t>(0) : parse_unsigned(parsed->database);
  if (!number || *number >= databases_) return std::optional<std::string>();
  if (name.size() > kMaxNameBytes) {
    return fail(ErrorKind::kInvalid, "ERR a name for keyspace notifications has at most {} bytes",
                kMaxNameBytes);
  }
  const std::string keys(parsed->kind == "space" ? parsed->rest : "*");
  std::string behind = "*";
  if (!any) behind = *number == 0 ? keys : fmt::format("{}:{}", *number, keys);
  const std::string_view marks = any ? ":." : (*number == 0 ? ":" : ".");
  return std::optional(fmt::format("{}[{}{}]{}", begin(), marks, asked_text(as, name), behind));
}

std::string KeyEvents::pattern_of_nothing() const {
  return fmt::format("{}[:{}]", begin(), asked_text(As::kNothing, ""));
}

std::optional<KeyEvents::Asked> KeyEvents::from_pattern(std::string_view pattern) const {
  const std::string before = begin() + "[";
  if (!present() || !pattern.starts_with(before)) return std::nullopt;
  pattern.remove_prefix(before.size());
  pattern.remove_prefix(std::min(pattern.find_first_not_of(":."), pattern.size()));
  const auto text = from_capitals(pattern.substr(0, pattern.find(']')));
  if (!text || text->empty()) return std::nullopt;
  const As as{text->front()};
  if (as != As::kChannel && as != As::kPattern && as != As::kNothing) return std::nullopt;
  return Asked{.as = as, .name = text->substr(1)};
}

bool KeyEvents::is_own(std::string_view channel) const {
  return present() && channel.starts_with(kKeyspace) &&
         is_own_key(channel.substr(kKeyspace.size()), root_);
}

std::optional<KeyEvents::Key> KeyEvents::key_of(std::string_view channel) const {
  if (!is_own(channel)) return std::nullopt;
  const std::string_view rest = channel.substr(kKeyspace.size() + root_.size());
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  if (colon == 0) return Key{.database = 0, .name = rest.substr(1)};
  const auto number = parse_unsigned(rest.substr(1, colon - 1));
  // The number as it is written for a database, and for no other.
  if (!number || *number == 0 || *number >= databases_ ||
      rest.substr(0, colon + 1) != fmt::format(".{}:", *number))
    return std::nullopt;
  return Key{.database = static_cast<uint32_t>(*number), .name = rest.substr(colon + 1)};
}

}  // namespace partywall::cache
