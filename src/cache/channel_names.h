#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cache/prefix/key_events.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

// Channels are global in a Redis, whatever the database: every tenant's have its own prefix there.
// Only those of keyspace notifications have the names that Redis gives them, with the number of the
// database: a tenant's own databases, which its clients number from 0. For prefix mode see
// prefix/key_events.h.
namespace partywall::cache {

enum class Prefixed : uint8_t {
  kFirstArgument,  // PUBLISH channel message
  kAllArguments,   // SSUBSCRIBE channel …
  kAfterFirst,     // PUBSUB NUMSUB channel …, PUBSUB CHANNELS pattern
};

// What one tenant's channels are called: by its clients, and in Redis.
class ChannelNames {
 public:
  ChannelNames() = default;
  ChannelNames(const Tenant& tenant, const CacheBackend& backend);
  ChannelNames(std::string prefix, uint32_t first_database, uint32_t databases)
      : prefix_(std::move(prefix)), first_database_(first_database), databases_(databases) {}
  bool operator==(const ChannelNames&) const = default;

  // Of prefix mode.
  [[nodiscard]] const KeyEvents& key_events() const { return key_events_; }

  [[nodiscard]] std::string to_redis(std::string_view channel) const;
  // Of PSUBSCRIBE. kInvalid, with a text for the client: it would have to be several.
  [[nodiscard]] Result<std::string> pattern_to_redis(std::string_view pattern) const;
  // Nothing for what is not the tenant's.
  [[nodiscard]] std::optional<std::string> from_redis(std::string_view channel) const;
  [[nodiscard]] std::optional<std::string> pattern_from_redis(std::string_view pattern) const;

 private:
  [[nodiscard]] std::optional<uint32_t> own_number(std::string_view digits) const;

  std::string prefix_;
  uint32_t first_database_ = 0;
  uint32_t databases_ = 0;  // of database mode
  KeyEvents key_events_;
};

// The request with the prefix before the arguments that are channels.
std::string with_channel_prefix(const Request& request, std::string_view prefix, Prefixed which);

// (UN)SUBSCRIBE and P(UN)SUBSCRIBE with the names that Redis knows.
// In prefix mode these may be several requests; the answers are as many as the names.
enum class NamesAre : uint8_t { kChannels, kPatterns };
Result<std::string> with_redis_names(const Request& request, const ChannelNames& names,
                                     NamesAre what);

// PUBSUB CHANNELS: an array of names; PUBSUB NUMSUB: names and numbers in turn. The replies without
// the prefix; nothing of what does not begin with it.
std::string channels_without_prefix(std::string_view reply, std::string_view prefix);
std::string channel_counts_without_prefix(std::string_view reply, std::string_view prefix);

}  // namespace partywall::cache
