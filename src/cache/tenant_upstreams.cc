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
  if (now < retry_at_) return unavailable();
  ++subscribers_;
  auto upstream = std::make_shared<SubscriberFsm>(subscriber_handshake(backend_, target_),
                                                  channel_prefix(target_.tenant), sink);
  network_.open(upstream, target_.endpoint);
  if (upstream->usable()) return upstream;
  --subscribers_;
  retry_at_ = now + limits_.retry_pause;
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
  if (now < retry_at_) return unavailable();
  opened_at_ = now;
  auto upstream = std::make_shared<UpstreamFsm>(tenant_handshake(backend_, target_));
  network_.open(upstream, target_.endpoint);
  if (upstream->usable()) return upstream;
  note_failure(*upstream);
  return unavailable();
}

// The failure may be noticed long after it happened: what counts is when the last attempt began.
void TenantUpstreams::note_failure(const UpstreamFsm& ended) {
  if (!ended.ready()) retry_at_ = opened_at_ + limits_.retry_pause;
}

std::unexpected<Error> TenantUpstreams::unavailable() {
  return fail(ErrorKind::kUnavailable, "the cache of this tenant cannot be reached now; try again");
}

}  // namespace partywall::cache
