#include "cache/tenant_upstreams.h"

#include <algorithm>
#include <cassert>

#include "cache/tenant_user.h"

namespace partywall::cache {

TenantUpstreams::~TenantUpstreams() { finish_all(); }

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::shared(MonotonicTime now) {
  shared_used_ = now;
  if (shared_ != nullptr && shared_->usable()) return shared_;
  if (shared_ != nullptr) note_failure(*std::exchange(shared_, nullptr));
  auto opened = open(now);
  if (opened) shared_ = *opened;
  return opened;
}

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::take(MonotonicTime now) {
  while (!idle_.empty()) {
    std::shared_ptr<UpstreamFsm> upstream = std::move(idle_.back().upstream);
    idle_.pop_back();
    if (!upstream->usable()) continue;
    ++taken_;
    return upstream;
  }
  if (taken_ >= limits_.max_dedicated) {
    return fail(ErrorKind::kLimit,
                "{} connections of this tenant are busy with transactions and blocking commands, "
                "more are not allowed; "
                "try again",
                taken_);
  }
  auto opened = open(now);
  if (opened) ++taken_;
  return opened;
}

void TenantUpstreams::give_back(std::shared_ptr<UpstreamFsm> upstream, Returned how,
                                MonotonicTime now) {
  assert(taken_ > 0);
  --taken_;
  if (!upstream->usable()) return note_failure(*upstream);
  if (how == Returned::kClean && upstream->ready() && upstream->idle()) {
    idle_.push_back({std::move(upstream), now});
  } else {
    upstream->close();
  }
}

Result<std::shared_ptr<SubscriberFsm>> TenantUpstreams::open_subscriber(SubscriberSink& sink,
                                                                        MonotonicTime now) {
  if (subscribers_ >= limits_.max_subscribers) {
    return fail(ErrorKind::kLimit, "{} clients of this tenant subscribe, more are not allowed",
                subscribers_);
  }
  const auto endpoint = find_server(now);
  if (!endpoint) return std::unexpected(endpoint.error());
  ++subscribers_;
  auto upstream = std::make_shared<SubscriberFsm>(subscriber_handshake(target_),
                                                  channel_prefix(target_.tenant), sink);
  network_.open(upstream, *endpoint);
  if (upstream->usable()) return upstream;
  --subscribers_;
  backoff_.failed(now);
  return unavailable();
}

void TenantUpstreams::subscriber_ended() {
  assert(subscribers_ > 0);
  --subscribers_;
}

void TenantUpstreams::sweep(MonotonicTime now) {
  const auto too_old = [&](MonotonicTime since) { return now - since >= limits_.idle_timeout; };
  std::erase_if(idle_, [&](const Idle& idle) {
    if (too_old(idle.since)) idle.upstream->close();
    return !idle.upstream->usable();
  });
  if (shared_ == nullptr) return;
  if (shared_->usable() && shared_->idle() && too_old(shared_used_)) shared_->close();
  if (!shared_->usable()) shared_ = nullptr;
}

void TenantUpstreams::finish_all() {
  for (const Idle& idle : idle_) idle.upstream->finish();
  idle_.clear();
  if (shared_ != nullptr) std::exchange(shared_, nullptr)->finish();
}

Result<std::shared_ptr<UpstreamFsm>> TenantUpstreams::open(MonotonicTime now) {
  const auto endpoint = find_server(now);
  if (!endpoint) return std::unexpected(endpoint.error());
  opened_at_ = now;
  auto upstream = std::make_shared<UpstreamFsm>(tenant_handshake(target_));
  network_.open(upstream, *endpoint);
  if (upstream->usable()) return upstream;
  note_failure(*upstream);
  return unavailable();
}

Result<Endpoint> TenantUpstreams::find_server(MonotonicTime now) const {
  if (!backoff_.may_try(now)) return unavailable();
  return target_.route->find();
}

// The failure may be noticed long after it happened: what counts is when the last attempt began.
void TenantUpstreams::note_failure(const UpstreamFsm& ended) {
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
