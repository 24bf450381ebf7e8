#pragma once

#include <memory>

#include "base/backoff.h"
#include "base/time.h"

namespace partywall::cache {

class CacheRoute;
class UpstreamNetwork;

// Finds out where a route leads now, and goes on watching it.
class RouteWatch {
 public:
  RouteWatch() = default;
  RouteWatch(const RouteWatch&) = delete;
  RouteWatch& operator=(const RouteWatch&) = delete;
  virtual ~RouteWatch() = default;
  // To be called every kRouteTick.
  virtual void tick(MonotonicTime now) = 0;
};

inline constexpr Duration kRouteTick = milliseconds(100);

struct RouteWatchTimes {
  Duration ask_interval = seconds(1);                // a Sentinel, which also tells by itself
  Duration refresh_interval = seconds(3);            // a cluster, which also tells by MOVED
  Duration suspicious_interval = milliseconds(200);  // the least pause between two questions
  Duration answer_timeout = seconds(2);
  BackoffSettings backoff{.first = milliseconds(100), .longest = seconds(2)};
};

// nullptr where there is nothing to find out: a single server. Both arguments must outlive it.
std::unique_ptr<RouteWatch> watch_route(CacheRoute& route, UpstreamNetwork& network,
                                        const RouteWatchTimes& times);

}  // namespace partywall::cache
