#include "cache/tenant_upstreams.h"

#include <algorithm>
#include <cassert>

#include "cache/errand_fsm.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

Handshake handshake_of(const UpstreamTarget& target) {
  switch (target.user) {
    case UpstreamUser::kKeyspace:
      return keyspace_handshake(target);
    case UpstreamUser::kIndex:
      return index_handshake(target);
    case UpstreamUser::kChannels:
      return channels_handshake(target);
    case UpstreamUser::kTenant:
      break;
  }
  return tenant_handshake(target);
}

}  // namespace

TenantUpstreams::~TenantUpstreams() { finish_all(); }

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::shared(MonotonicTime now) {
  now_ = shared_used_ = now;
  if (shared_ != nullptr && shared_->usable()) return shared_;
  if (shared_ != nullptr) note_failure(*std::exchange(shared_, nullptr));
  auto opened = open(Redirects::kFollow, now);
  if (opened) shared_ = *opened;
  return opened;
}

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::take(MonotonicTime now) {
  now_ = now;
  while (!idle_.empty()) {
    std::shared_ptr<UpstreamFsm> upstream = std::move(idle_.back().upstream);
    idle_.pop_back();
    if (!upstream->usable()) continue;
    taken_.push_back(upstream);
    return upstream;
  }
  if (taken_.size() >= limits_.max_dedicated) {
    return fail(ErrorKind::kLimit,
                "{} connections of this tenant are busy with transactions and blocking commands, "
                "more are not allowed; "
                "try again",
                taken_.size());
  }
  auto opened = open(Redirects::kReport, now);
  if (opened) taken_.push_back(*opened);
  return opened;
}

void TenantUpstreams::give_back(std::shared_ptr<UpstreamFsm> upstream, Returned how,
                                MonotonicTime now) {
  now_ = now;
  [[maybe_unused]] const auto removed = std::erase(taken_, upstream);
  assert(removed == 1);
  if (!upstream->usable()) return note_failure(*upstream);
  if (how == Returned::kClean && upstream->ready() && upstream->idle()) {
    idle_.push_back({std::move(upstream), now});
  } else {
    upstream->close();
  }
}

Result<std::shared_ptr<SubscriberFsm>> TenantUpstreams::open_subscriber(SubscriberSink& sink,
                                                                        ChannelNames names,
                                                                        MonotonicTime now) {
  if (subscribers_ >= limits_.max_subscribers) {
    return fail(ErrorKind::kLimit, "{} clients of this tenant subscribe, more are not allowed",
                subscribers_);
  }
  const auto server = find_server(now);
  if (!server) return std::unexpected(server.error());
  ++subscribers_;
  auto upstream =
      std::make_shared<SubscriberFsm>(subscriber_handshake(target_), std::move(names), sink);
  network_.open(upstream, *server, target_.route->backend().tls);
  if (upstream->usable()) {
    open_subscribers_.push_back({upstream, *server});
    return upstream;
  }
  --subscribers_;
  backoff_.failed(now);
  return unavailable();
}

void TenantUpstreams::subscriber_ended() {
  assert(subscribers_ > 0);
  --subscribers_;
}

// Redis decides, so that an element which is on its way does not get lost.
void TenantUpstreams::unblock(const UpstreamFsm& upstream, Unblock how) {
  const uint64_t id = upstream.facts().connection_id;
  if (id == 0) return;  // it is not even logged in
  const char* word = how == Unblock::kAsByTimeout ? "TIMEOUT" : "ERROR";
  network_.open(std::make_shared<ErrandFsm>(unblock_handshake(target_, id, word)),
                upstream.server(), target_.route->backend().tls);
}

void TenantUpstreams::sweep(MonotonicTime now) {
  now_ = now;
  const auto close_old = [&](const Aged& one) {
    if (one.upstream->idle() && now - one.since >= limits_.idle_timeout) one.upstream->close();
    return !one.upstream->usable();
  };
  std::erase_if(idle_, close_old);
  std::erase_if(other_nodes_, close_old);
  std::erase_if(open_subscribers_, [](const auto& one) { return one.upstream.expired(); });
  if (shared_ == nullptr) return;
  if (shared_->usable() && shared_->idle() && now - shared_used_ >= limits_.idle_timeout)
    shared_->close();
  if (!shared_->usable()) shared_ = nullptr;
}

void TenantUpstreams::route_changed(MonotonicTime now) {
  now_ = now;
  const auto server = target_.route->find(target_.slot);
  const auto elsewhere = [&](const Endpoint& place) { return !server || *server != place; };
  backoff_.succeeded();  // whatever failed before was another server
  if (shared_ != nullptr && elsewhere(shared_->server()))
    leave(std::exchange(shared_, nullptr), now);
  std::erase_if(idle_, [&](const Aged& idle) {
    if (elsewhere(idle.upstream->server())) idle.upstream->close();
    return !idle.upstream->usable();
  });
  // Losing one changes the lists.
  const auto taken = taken_;
  for (const auto& upstream : taken) {
    if (elsewhere(upstream->server())) upstream->lost();
  }
  const auto subscribers = std::exchange(open_subscribers_, {});
  for (const OpenSubscriber& one : subscribers) {
    const auto upstream = one.upstream.lock();
    if (upstream == nullptr) continue;
    if (elsewhere(one.server)) {
      upstream->lost();
    } else {
      open_subscribers_.push_back(one);
    }
  }
}

void TenantUpstreams::leave(std::shared_ptr<UpstreamFsm> upstream, MonotonicTime now) {
  upstream->finish();
  if (!upstream->must_close())
    leaving_.push_back({std::move(upstream), now + limits_.takeover_grace});
}

void TenantUpstreams::end_overdue(MonotonicTime now) {
  const auto leaving = std::exchange(leaving_, {});
  for (const Aged& one : leaving) {
    if (one.upstream->must_close()) continue;
    if (now >= one.since) {
      one.upstream->lost();
    } else {
      leaving_.push_back(one);
    }
  }
}

void TenantUpstreams::finish_all() {
  for (const Aged& idle : idle_) idle.upstream->finish();
  idle_.clear();
  for (const Aged& node : other_nodes_) node.upstream->finish();
  other_nodes_.clear();
  leaving_.clear();
  if (shared_ != nullptr) std::exchange(shared_, nullptr)->finish();
}

std::shared_ptr<UpstreamFsm> TenantUpstreams::connection_to(const Endpoint& node) {
  // Whoever can make a script could otherwise have us log in anywhere.
  const std::vector<Endpoint>& nodes = target_.route->slots().nodes();
  if (std::ranges::find(nodes, node) == nodes.end()) return nullptr;
  std::erase_if(other_nodes_, [](const Aged& one) { return !one.upstream->usable(); });
  for (Aged& one : other_nodes_) {
    if (one.upstream->server() != node) continue;
    one.since = now_;
    return one.upstream;
  }
  if (other_nodes_.size() >= limits_.max_other_nodes) return nullptr;
  auto upstream = open_at(node, Redirects::kFollow);
  if (!upstream->usable()) return nullptr;
  other_nodes_.push_back({upstream, now_});
  return upstream;
}

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::open(Redirects redirects, MonotonicTime now) {
  const auto server = find_server(now);
  if (!server) return std::unexpected(server.error());
  opened_at_ = now;
  auto upstream = open_at(*server, redirects);
  if (upstream->usable()) return upstream;
  note_failure(*upstream);
  return unavailable();
}

std::shared_ptr<UpstreamFsm> TenantUpstreams::open_at(const Endpoint& server, Redirects redirects) {
  const bool cluster = target_.route->instance().topology == CacheTopology::kCluster;
  auto upstream = std::make_shared<UpstreamFsm>(
      handshake_of(target_), UpstreamFsm::Place{.server = server,
                                                .redirects = cluster ? redirects : Redirects::kNone,
                                                .events = weak_from_this(),
                                                .key_prefix = target_.key_prefix});
  network_.open(upstream, server, target_.route->backend().tls);
  return upstream;
}

Result<Endpoint> TenantUpstreams::find_server(MonotonicTime now) const {
  if (!backoff_.may_try(now)) return unavailable();
  return target_.route->find(target_.slot);
}

// The failure may be noticed long after it happened: what counts is when the last attempt began.
void TenantUpstreams::note_failure(const UpstreamFsm& ended) {
  target_.route->suspect();
  if (ended.ready()) {
    backoff_.succeeded();
  } else {
    backoff_.failed(opened_at_);
  }
}

std::unexpected<Error> TenantUpstreams::unavailable() {
  return fail(ErrorKind::kUnavailable, "the cache of this tenant cannot be reached now; try again");
}

}  // namespace partywall::cache
