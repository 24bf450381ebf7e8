#pragma once

#include "cache/asking_watch.h"

namespace partywall::cache {

// Asks the Sentinels of a route for its primary, and hears from them when there is another one.
// https://redis.io/docs/reference/sentinel-clients
class SentinelWatch final : public AskingWatch {
 public:
  SentinelWatch(CacheRoute& route, UpstreamNetwork& network, const RouteWatchTimes& times)
      : AskingWatch(route, network, times, times.ask_interval) {}

 private:
  [[nodiscard]] std::string opening() const override;
  [[nodiscard]] std::string question() const override;
  [[nodiscard]] std::vector<Endpoint> servers() const override {
    return route().instance().endpoints;
  }
  Taken take(const ReplyTree& reply) override;
  void take_message(const ReplyTree& message);
  void complain(std::string_view reason) const;

  uint32_t useless_answers_ = 0;  // in a row: the same primary, which is suspected
};

}  // namespace partywall::cache
