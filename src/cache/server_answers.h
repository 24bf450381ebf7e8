#pragma once

#include <string>
#include <vector>

#include "cache/clients/client_register.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"
#include "cache/slow_log.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

// SLOWLOG, LATENCY, MEMORY: what concerns the whole server in Redis, answered for the tenant alone.
namespace partywall::cache {

// SLOWLOG GET, LEN, RESET, HELP.
std::string slow_log_answer(const Request& request, SlowLog& log, TenantId tenant);
// LATENCY: the door watches no events of the tenant's own, so there are none.
std::string latency_answer(const Request& request, Protocol protocol);
// MEMORY DOCTOR and HELP.
std::string memory_answer(const Request& request, Protocol protocol);
// PUBSUB NUMPAT and HELP; `clients` are the tenant's on all workers.
std::string pubsub_answer(const Request& request, const std::vector<ClientRecord>& clients);
// CONFIG SET: what clients set for their own purposes and changes nothing here is confirmed,
// anything else refused.
std::string config_set_answer(const Request& request, const CacheBackend& backend);

}  // namespace partywall::cache
