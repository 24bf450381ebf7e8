#pragma once

#include <string>

#include "base/random.h"
#include "base/time.h"
#include "cache/buffer_budget.h"
#include "cache/clients/client_register.h"
#include "cache/load/load_book.h"
#include "cache/load/script_flights.h"
#include "cache/load/slow_lane.h"
#include "cache/quota/index_writers.h"
#include "cache/quota/quota_book.h"
#include "cache/resp/request_parser.h"
#include "cache/scripts/script_register.h"
#include "cache/slow_log.h"
#include "cache/tracking/tracking_feed.h"
#include "cache/upstream_registry.h"
#include "identity/issuer_verifier.h"
#include "identity/verified_tokens.h"
#include "policy/client_seats.h"
#include "policy/limit_desk.h"
#include "policy/meters.h"
#include "policy/shared_limits.h"
#include "policy/tenant_states.h"
#include "tenancy/directory.h"

namespace partywall::cache {

struct SessionLimits {
  RequestLimits requests;
  // Until AUTH: enough for a login, no more.
  RequestLimits requests_before_login{.max_arguments = 16,
                                      .max_argument_bytes = 8UL << 10,
                                      .max_request_bytes = 16UL << 10,
                                      .max_inline_bytes = 4UL << 10};
  // While so much waits for the client to read it, no more of its requests are looked at, and no
  // more replies are read for it.
  size_t output_pause_bytes = 256UL << 10;
  // While Redis has so much to take still, no more is sent for clients that wait for it.
  size_t upstream_pause_bytes = 1UL << 20;
  // A request that is longer is passed on while it arrives, where its command allows that.
  size_t stream_above_bytes = 64UL << 10;
  // Of the unfinished requests of all clients of a tenant on a worker.
  size_t max_buffered_bytes = 64UL << 20;
  // Requests of one client that Redis has not answered yet.
  uint32_t max_outstanding = 10'000;
  uint32_t max_failed_logins = 10;     // in a row, then the connection is closed
  uint32_t max_subscriptions = 1'000;  // channels and patterns of one client
  // A command of a tenant that has used up its share of Redis's time waits so long, no longer.
  Duration longest_wait_for_time = seconds(1);
  // What Redis refuses because a script keeps it busy is sent again for so long.
  Duration longest_wait_for_script = seconds(5);
};

enum class CacheMeter : uint8_t {
  kCommands,           // taken for the tenant, the refused ones too
  kRefused,            // not allowed, or not to be understood
  kThrottled,          // over cache_rate
  kFailed,             // Redis could not be reached, or was lost before it answered
  kOverQuota,          // refused because of cache.keys or cache.megabytes
  kNothingToEvict,     // of these, those that were to make room, and found none that may go
  kEvicted,            // keys that made room for others
  kHits,               // keys that were looked for and were there
  kMisses,             // the others
  kOverTime,           // refused because of cache.redis_time
  kQueued,             // that waited for their turn, because slow ones were under way
  kSentAgain,          // that Redis had refused because of a script
  kRedisMicroseconds,  // of Redis's time, in commands of kCountedTime and more
  kScriptsEnded,       // because they ran too long
  kScriptsGoOn,        // that ran too long, and could not be ended
  kBytesIn,
  kBytesOut,
  kCount,
};

// What the sessions of one worker share.
struct SessionHost {
  const SessionLimits& limits;
  const TimeSource& time;
  LimitDesk& limits_desk;
  UpstreamRegistry& upstreams;
  Meters<CacheMeter>& meters;
  Random& random;
  ClientSeats& seats;
  ClientRegister& clients;
  ScriptRegister& scripts;
  SlowLog& slow_log;
  QuotaBook& quotas;
  LoadBook& loads;
  ScriptFlights& scripts_under_way;
  const SharedLimits* live_nodes = nullptr;  // nullptr: the node is alone
  DirectoryRef directory;                    // replaced when a new one is published
  IssuerVerifier issuers;                    // of that directory
  std::string rewritten{};  // space for one request, while it is passed on in prefix mode
  VerifiedTokens tokens{};
  TrackingFeeds tracking{};
  SlowLanes slow_lanes{};
  BufferBudget buffers{limits.max_buffered_bytes};
  IndexWriters indexes{upstreams, time};
};

}  // namespace partywall::cache
