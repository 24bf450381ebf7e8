#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cache/slot_map.h"
#include "engines/redis.h"
#include "tenancy/cache_backend.h"

// The servers that one cache instance consists of, as its Sentinels or its nodes name them, and
// connections to them. Blocking.
namespace partywall::cache {

// Whoever may change users and settings of a Redis.
struct RedisAdministrator {
  std::string user;  // not "default": that one is switched off
  Secret password;
};

// Logs in. A fresh Redis does not have the administrator yet: it is made there.
Result<redis::Connection> open_as_administrator(const CacheBackend& backend, const Endpoint& server,
                                                const RedisAdministrator& administrator);

// All servers, with the replicas, those that are down too. Users are not replicated: each server
// has its own.
Result<std::vector<Endpoint>> list_servers(const CacheBackend& backend,
                                           const CacheInstance& instance,
                                           const RedisAdministrator& administrator);

// The server that has the slot's keys now, and says itself that it is a primary.
Result<redis::Connection> open_primary(const CacheBackend& backend, const CacheInstance& instance,
                                       const RedisAdministrator& administrator, HashSlot slot);

// A connection to each Sentinel that can be reached; kUnavailable: to none.
Result<std::vector<redis::Connection>> open_sentinels(const CacheBackend& backend,
                                                      const CacheInstance& instance);

}  // namespace partywall::cache
