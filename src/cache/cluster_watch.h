#pragma once

#include "cache/asking_watch.h"

namespace partywall::cache {

// Asks nodes of a cluster which node has which slot: now and then, and soon after a node has said
// that it does not have one (CacheRoute::suspect), but never more often than every
// suspicious_interval, however many tenants meet a slot that moves.
class ClusterWatch final : public AskingWatch {
 public:
  ClusterWatch(CacheRoute& route, UpstreamNetwork& network, const RouteWatchTimes& times)
      : AskingWatch(route, network, times, times.refresh_interval) {}

 private:
  [[nodiscard]] std::string opening() const override;
  [[nodiscard]] std::string question() const override;
  [[nodiscard]] std::vector<Endpoint> servers() const override;
  Taken take(const ReplyTree& reply) override;
};

}  // namespace partywall::cache
