#pragma once

#include <cstdint>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "embedded/engine_host.h"

namespace partywall::embedded {

// The private Redis of an embedded stack, and its administrator, who is ours alone.
struct RedisServer {
  Endpoint endpoint;
  std::string administrator{};
  Secret password;
};

inline constexpr std::string_view kRedisGroup = "redis";
// Each tenant has a database of its own; their number is fixed when Redis starts.
inline constexpr uint32_t kRedisDatabases = 1024;

// Runs the server and waits until it answers. It listens on 127.0.0.1 only; its default user is
// off.
Result<RedisServer> run_redis(const EngineHost& host);

}  // namespace partywall::embedded
