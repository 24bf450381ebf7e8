#pragma once

#include <cstdint>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "embedded/engine_host.h"

namespace partywall::embedded {

// The private PostgreSQL of an embedded stack, and its superuser, who is ours alone.
struct PostgresqlServer {
  Endpoint endpoint;
  std::string superuser{};
  Secret password;
};

inline constexpr std::string_view kPostgresqlGroup = "postgresql";

// Makes the cluster at the first start, runs the server, and waits until it answers. It listens on
// 127.0.0.1 only and knows no other way to log in than SCRAM.
Result<PostgresqlServer> run_postgresql(const EngineHost& host, uint32_t max_connections);

}  // namespace partywall::embedded
