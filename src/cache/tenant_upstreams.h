#pragma once

#include <memory>
#include <vector>

#include "base/backoff.h"
#include "base/time.h"
#include "cache/route_watch.h"
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
  uint32_t max_other_nodes = 16;  // of a cluster, that one target is redirected to at once
  // How long a server that another one has taken over from may still answer what it was asked.
  Duration takeover_grace = seconds(1);
  RouteWatchTimes watch;
};

enum class Returned { kClean, kUnclear };
enum class Unblock { kAsByTimeout, kWithError };

// One worker's connections to one target: one that all sessions share, and those that belong to one
// session for a while (transactions, blocking commands). Where the route leads to another server,
// it moves on: the shared connection answers what it was asked and is replaced, within
// takeover_grace; what is bound to one session ends, because its state is gone with the server.
class TenantUpstreams final : public ServerEvents,
                              public std::enable_shared_from_this<TenantUpstreams> {
 public:
  TenantUpstreams(UpstreamTarget target, const UpstreamLimits& limits, UpstreamNetwork& network)
      : target_(std::move(target)), limits_(limits), network_(network), backoff_(limits.backoff) {}
  ~TenantUpstreams() override;
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
  Result<std::shared_ptr<SubscriberFsm>> open_subscriber(SubscriberSink& sink, ChannelNames names,
                                                         MonotonicTime now);
  void subscriber_ended();

  // Ends the blocking command of one of these connections, as by its time-out or with an error.
  void unblock(const UpstreamFsm& upstream, Unblock how);

  // Closes what nobody has used for a while, forgets what has ended.
  void sweep(MonotonicTime now);
  // The route may lead elsewhere now.
  void route_changed(MonotonicTime now);
  // Ends those whose time of grace is over.
  void end_overdue(MonotonicTime now);
  // Lets every connection end when it has answered what it was asked; new ones may be opened.
  void finish_all();
  [[nodiscard]] bool empty() const {
    return shared_ == nullptr && idle_.empty() && taken_.empty() && subscribers_ == 0 &&
           leaving_.empty() && other_nodes_.empty();
  }

  // --- ServerEvents
  void not_primary() override { target_.route->suspect(); }
  void slot_moved() override { target_.route->suspect(); }
  void login_refused(const Endpoint& server, const std::string& problem) override {
    target_.route->login_refused(server, problem);
  }
  std::shared_ptr<UpstreamFsm> connection_to(const Endpoint& node) override;

 private:
  struct Aged {
    std::shared_ptr<UpstreamFsm> upstream;
    MonotonicTime since;
  };
  struct OpenSubscriber {
    std::weak_ptr<SubscriberFsm> upstream;
    Endpoint server;
  };

  Result<std::shared_ptr<UpstreamFsm>> open(Redirects redirects, MonotonicTime now);
  std::shared_ptr<UpstreamFsm> open_at(const Endpoint& server, Redirects redirects);
  [[nodiscard]] Result<Endpoint> find_server(MonotonicTime now) const;
  void leave(std::shared_ptr<UpstreamFsm> upstream, MonotonicTime now);
  void note_failure(const UpstreamFsm& ended);
  static std::unexpected<Error> unavailable();

  UpstreamTarget target_;
  const UpstreamLimits& limits_;
  UpstreamNetwork& network_;
  std::shared_ptr<UpstreamFsm> shared_;
  MonotonicTime shared_used_{};
  std::vector<Aged> idle_;  // last in, first out
  std::vector<std::shared_ptr<UpstreamFsm>> taken_;
  std::vector<Aged> leaving_;      // the route does not lead there any more; since: the deadline
  std::vector<Aged> other_nodes_;  // of the cluster, that requests were redirected to
  std::vector<OpenSubscriber> open_subscribers_;
  uint32_t subscribers_ = 0;
  MonotonicTime now_{};  // of the last call that told it
  MonotonicTime opened_at_{};
  Backoff backoff_;
};

}  // namespace partywall::cache
