#include "cache/channel_names.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cache/keyspace_channel.h"
#include "cache/prefix/key_prefix.h"
#include "cache/resp/number.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

// Redis's pattern for the number alone that is not written like the number: so the answer tells
// what the client had asked for.
std::string bracketed(uint32_t number) {
  std::string out;
  for (const char digit : fmt::format("{}", number)) out += fmt::format("[{}]", digit);
  return out;
}

bool is_channel(uint32_t index, Prefixed which) {
  switch (which) {
    case Prefixed::kFirstArgument:
      return index == 1;
    case Prefixed::kAllArguments:
      return index >= 1;
    case Prefixed::kAfterFirst:
      return index >= 2;
  }
  return false;
}

// What is a channel to the client may be a pattern in Redis, which another command asks for.
Result<std::string> with_key_events(const Request& request, const ChannelNames& names,
                                    NamesAre what) {
  const bool patterns = what == NamesAre::kPatterns;
  const auto as = patterns ? KeyEvents::As::kPattern : KeyEvents::As::kChannel;
  const std::string for_patterns = (patterns ? "" : "P") + std::string(request.name);
  std::string out;
  ArgumentCursor cursor(request);
  cursor.next();
  while (const auto name = cursor.next()) {
    const auto own = names.key_events().to_pattern(as, *name);
    if (!own) return std::unexpected(own.error());
    if (*own) {
      out += make_request({for_patterns, **own});
    } else {
      const auto other = patterns ? names.pattern_to_redis(*name) : names.to_redis(*name);
      if (!other) return std::unexpected(other.error());
      out += make_request({request.name, *other});
    }
  }
  return out;
}

// Reads the elements of a flat array of bulk strings and integers.
class FlatArray {
 public:
  explicit FlatArray(std::string_view reply) : rest_(reply) {
    if (!rest_.starts_with('*')) return;
    const NumberLine count = read_number_line(rest_, 1);
    if (count.status != NumberLine::Status::kComplete) return;
    left_ = count.value;
    rest_.remove_prefix(count.end);
  }

  // A bulk string's text or an integer's digits; nothing at the end, or where it is something else.
  std::optional<std::string_view> next() {
    if (left_ == 0 || rest_.empty()) return std::nullopt;
    const NumberLine line = read_number_line(rest_, 1);
    const bool bulk = rest_[0] == '$';
    if (line.status != NumberLine::Status::kComplete || (!bulk && rest_[0] != ':'))
      return std::nullopt;
    const size_t end = bulk ? line.end + line.value + 2 : line.end;
    if (end > rest_.size()) return std::nullopt;
    const std::string_view text =
        bulk ? rest_.substr(line.end, line.value) : rest_.substr(1, line.end - 3);
    rest_.remove_prefix(end);
    --left_;
    return text;
  }

 private:
  std::string_view rest_;
  uint64_t left_ = 0;
};

}  // namespace

ChannelNames::ChannelNames(const Tenant& tenant, const CacheBackend& backend)
    : ChannelNames(channel_prefix(tenant.id), tenant.cache_database,
                   backend.mode == CacheMode::kDatabase ? tenant.limits.cache_databases : 0) {
  if (backend.mode == CacheMode::kPrefix)
    key_events_ = KeyEvents(key_root(backend, tenant), tenant.limits.cache_databases);
}

std::string ChannelNames::to_redis(std::string_view channel) const {
  if (auto own = key_events_.channel_to_redis(channel)) return *std::move(own);
  const auto keyspace = parse_keyspace_channel(channel);
  const auto number = keyspace ? parse_unsigned(keyspace->database) : fail(ErrorKind::kInvalid, "");
  if (!number || *number >= databases_ || keyspace->kind == "*")
    return prefix_ + std::string(channel);
  return fmt::format("__key{}@{}__:{}", keyspace->kind, first_database_ + *number, keyspace->rest);
}

Result<std::string> ChannelNames::pattern_to_redis(std::string_view pattern) const {
  if (key_events_.present()) {
    auto own = key_events_.to_pattern(KeyEvents::As::kPattern, pattern);
    if (!own) return std::unexpected(own.error());
    return *own ? **std::move(own) : prefix_ + std::string(pattern);
  }
  const auto keyspace = parse_keyspace_channel(pattern);
  if (!keyspace) return prefix_ + std::string(pattern);
  const auto& [kind, database, rest] = *keyspace;
  if (database.empty() || database == "*") {
    if (databases_ != 1) {
      return fail(
          ErrorKind::kInvalid,
          "ERR name the database in '{}': this tenant has several, and a pattern is for one",
          pattern.substr(0, 128));
    }
    if (database.empty()) return fmt::format("__key{}[@]{}__:{}", kind, first_database_, rest);
    return fmt::format("__key{}@{}__:{}", kind, bracketed(first_database_), rest);
  }
  const auto number = parse_unsigned(database);
  if (!number || *number >= databases_) return prefix_ + std::string(pattern);
  return fmt::format("__key{}@{}__:{}", kind, first_database_ + *number, rest);
}

std::optional<uint32_t> ChannelNames::own_number(std::string_view digits) const {
  const auto number = parse_unsigned(digits);
  if (!number || *number < first_database_ || *number - first_database_ >= databases_)
    return std::nullopt;
  return static_cast<uint32_t>(*number - first_database_);
}

std::optional<std::string> ChannelNames::from_redis(std::string_view channel) const {
  if (channel.starts_with(prefix_)) return std::string(channel.substr(prefix_.size()));
  if (const auto key = key_events_.key_of(channel))
    return fmt::format("__keyspace@{}__:{}", key->database, key->name);
  const auto keyspace = parse_keyspace_channel(channel);
  const auto number = keyspace ? own_number(keyspace->database) : std::nullopt;
  if (!number || keyspace->kind == "*") return std::nullopt;
  return fmt::format("__key{}@{}__:{}", keyspace->kind, *number, keyspace->rest);
}

std::optional<std::string> ChannelNames::pattern_from_redis(std::string_view pattern) const {
  if (pattern.starts_with(prefix_)) return std::string(pattern.substr(prefix_.size()));
  const auto keyspace = parse_keyspace_channel(pattern);
  if (!keyspace) return std::nullopt;
  const auto& [kind, database, rest] = *keyspace;
  if (database == bracketed(first_database_)) return fmt::format("__key{}@*__:{}", kind, rest);
  if (database == fmt::format("[@]{}", first_database_))
    return fmt::format("__key{}__:{}", kind, rest);
  const auto number = own_number(database);
  if (!number) return std::nullopt;
  return fmt::format("__key{}@{}__:{}", kind, *number, rest);
}

Result<std::string> with_redis_names(const Request& request, const ChannelNames& names,
                                     NamesAre what) {
  if (names.key_events().present() && request.argument_count > 1)
    return with_key_events(request, names, what);
  std::string out;
  out.reserve(request.bytes.size() + request.argument_count * size_t{64});
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  append_bulk(out, *cursor.next());
  while (const auto argument = cursor.next()) {
    if (what == NamesAre::kChannels) {
      append_bulk(out, names.to_redis(*argument));
      continue;
    }
    const auto pattern = names.pattern_to_redis(*argument);
    if (!pattern) return std::unexpected(pattern.error());
    append_bulk(out, *pattern);
  }
  return out;
}

std::string with_channel_prefix(const Request& request, std::string_view prefix, Prefixed which) {
  std::string out;
  out.reserve(request.bytes.size() + request.argument_count * (prefix.size() + 2));
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index) {
    if (is_channel(index, which)) {
      append_prefixed_bulk(out, prefix, *argument);
    } else {
      append_bulk(out, *argument);
    }
  }
  return out;
}

std::string channels_without_prefix(std::string_view reply, std::string_view prefix) {
  std::string names;
  size_t count = 0;
  FlatArray array(reply);
  while (const auto name = array.next()) {
    if (!name->starts_with(prefix)) continue;
    append_bulk(names, name->substr(prefix.size()));
    ++count;
  }
  std::string out;
  append_array_header(out, count);
  return out + names;
}

std::string channel_counts_without_prefix(std::string_view reply, std::string_view prefix) {
  std::string pairs;
  size_t count = 0;
  FlatArray array(reply);
  while (const auto name = array.next()) {
    const auto subscribers = array.next();
    if (!subscribers || !name->starts_with(prefix)) continue;
    append_bulk(pairs, name->substr(prefix.size()));
    pairs += ':';
    pairs += *subscribers;
    pairs += "\r\n";
    ++count;
  }
  std::string out;
  append_array_header(out, count * 2);
  return out + pairs;
}

}  // namespace partywall::cache
