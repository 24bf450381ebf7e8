#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall::cache {

// Keyspace notifications in prefix mode. Redis tells of all tenants' keys in its database 0; a
// tenant's clients see their own, with their own names and numbers:
//
//   SUBSCRIBE __keyspace@1__:k    is, in Redis, SUBSCRIBE __keyspace@0__:tenant:{<tag>}.1:k
//   everything else               a pattern for channels of that kind, of the tenant's keys alone
//
// The channel of an event ("__keyevent@0__:del") is every tenant's in Redis, so nobody may listen
// to it: the door makes its messages of what it hears of the keys. To be able to tell which of its
// patterns stands for what, it writes what the client has asked for into the pattern: in a class of
// characters, "[:…]", whose other characters never come at that place.
class KeyEvents {
 public:
  KeyEvents() = default;  // there are none
  // `root`: what the names of the tenant's keys begin with (key_prefix.h).
  KeyEvents(std::string root, uint32_t databases) : root_(std::move(root)), databases_(databases) {}
  bool operator==(const KeyEvents&) const = default;
  [[nodiscard]] bool present() const { return !root_.empty(); }

  enum class As : char { kChannel = 'c', kPattern = 'p', kNothing = 'n' };
  // What a client has asked for.
  struct Asked {
    As as = As::kNothing;
    std::string name;
  };
  struct Key {
    uint32_t database = 0;
    std::string_view name;
  };

  // Of a channel that tells of one key; nothing: it is another one.
  [[nodiscard]] std::optional<std::string> channel_to_redis(std::string_view channel) const;
  // Of another channel, or a pattern; nothing: it has nothing to do with keys. kInvalid, with a
  // text for the client: it is too long.
  [[nodiscard]] Result<std::optional<std::string>> to_pattern(As as, std::string_view name) const;
  // A pattern that nobody ever subscribes to.
  [[nodiscard]] std::string pattern_of_nothing() const;

  [[nodiscard]] std::optional<Asked> from_pattern(std::string_view pattern) const;
  // Is it a channel that tells of a key of the tenant's?
  [[nodiscard]] bool is_own(std::string_view channel) const;
  // And of which one: nothing also for those that no client can name.
  [[nodiscard]] std::optional<Key> key_of(std::string_view channel) const;

 private:
  [[nodiscard]] std::string begin() const;

  std::string root_;
  uint32_t databases_ = 0;
};

}  // namespace partywall::cache
