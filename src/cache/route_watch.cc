#include "cache/route_watch.h"

#include "cache/cluster_watch.h"
#include "cache/sentinel_watch.h"

namespace partywall::cache {

std::unique_ptr<RouteWatch> watch_route(CacheRoute& route, UpstreamNetwork& network,
                                        const RouteWatchTimes& times) {
  switch (route.instance().topology) {
    case CacheTopology::kSentinel:
      return std::make_unique<SentinelWatch>(route, network, times);
    case CacheTopology::kCluster:
      return std::make_unique<ClusterWatch>(route, network, times);
    case CacheTopology::kSingle:
      break;
  }
  return nullptr;
}

}  // namespace partywall::cache
