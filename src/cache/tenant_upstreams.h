#pragma once

#include <memory>
#include <vector>

#include "base/backoff.h"
#include "base/time.h"
#include "cache/subscriber_fsm.h"
#include "cache/upstream_fsm.h"
#include "cache/upstream_network.h"
#include "cache/upstream_target.h"

namespace partywall::cache {

struct UpstreamLimits {
  uint32_t max_dedicated = 64;  // per target and worker: blocking commands and transactions at once
  uint32_t max_subscribers = 256;  // the same, of clients that subscribe
  Duration idle_timeout = seconds(60);
  BackoffSettings backoff{.first = milliseconds(200), .longest = seconds(5)};  // to connect again
};

enum class Returned { kClean, kUnclear };

// One worker's connections to one target: one that all sessions share, and those that belong to one
// session for a while (transactions, blocking commands).
class TenantUpstreams {
 public:
  TenantUpstreams(UpstreamTarget target, const UpstreamLimits& limits, UpstreamNetwork& network)
      : target_(std::move(target)), limits_(limits), network_(network), backoff_(limits.backoff) {}
  ~TenantUpstreams();
  TenantUpstreams(const TenantUpstreams&) = delete;
  TenantUpstreams& operator=(const TenantUpstreams&) = delete;

  [[nodiscard]] const UpstreamTarget& target() const { return target_; }

  // kUnavailable: Redis could not be reached a moment ago.
  Result<std::shared_ptr<UpstreamFsm>> shared(MonotonicTime now);
  // kLimit beyond max_dedicated. Whoever takes one gives it back.
  Result<std::shared_ptr<UpstreamFsm>> take(MonotonicTime now);
  // kUnclear closes it: what is left behind in it is not known.
  void give_back(std::shared_ptr<UpstreamFsm> upstream, Returned how, MonotonicTime now);

  // A connection for the subscriptions of one session; kLimit beyond max_subscribers. Whoever opens
  // one says when it has ended.
  Result<std::shared_ptr<SubscriberFsm>> open_subscriber(SubscriberSink& sink, MonotonicTime now);
  void subscriber_ended();

  // Closes what nobody has used for a while, forgets what has ended.
  void sweep(MonotonicTime now);
  // Lets every connection end when it has answered what it was asked; new ones may be opened.
  void finish_all();
  [[nodiscard]] bool empty() const {
    return shared_ == nullptr && idle_.empty() && taken_ == 0 && subscribers_ == 0;
  }

 private:
  struct Idle {
    std::shared_ptr<UpstreamFsm> upstream;
    MonotonicTime since;
  };

  Result<std::shared_ptr<UpstreamFsm>> open(MonotonicTime now);
  [[nodiscard]] Result<Endpoint> find_server(MonotonicTime now) const;
  void note_failure(const UpstreamFsm& ended);
  static std::unexpected<Error> unavailable();

  UpstreamTarget target_;
  const UpstreamLimits& limits_;
  UpstreamNetwork& network_;
  std::shared_ptr<UpstreamFsm> shared_;
  MonotonicTime shared_used_{};
  std::vector<Idle> idle_;  // last in, first out
  uint32_t taken_ = 0;
  uint32_t subscribers_ = 0;
  MonotonicTime opened_at_{};
  Backoff backoff_;
};

}  // namespace partywall::cache
