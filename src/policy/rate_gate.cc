#include "policy/rate_gate.h"

#include <algorithm>
#include <limits>

namespace partywall {
namespace {

// What a node's share begins with. Not the whole of it: that would be a second burst. Not nothing:
// whoever comes once in a while should not notice that the store is away.
constexpr uint32_t kShareBeginsWith = 1;

uint32_t clamp_count(int64_t count) {
  return static_cast<uint32_t>(std::clamp<int64_t>(count, 0, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

RateLimit share_of(const RateLimit& limit, uint32_t nodes) {
  RateLimit share = limit;
  share.period *= nodes;
  share.burst = std::max(limit.burst / nodes, 1U);
  return share;
}

RateGate::Taken RateGate::take(const RateLimit& limit, const SharedLimits& shared,
                               MonotonicTime now) {
  if (limit.tokens == 0 || limit.burst == 0) return {.decision = {.retry_after = Duration::max()}};
  Taken taken;
  int64_t left = 0;
  const bool from_store = shared.source() == SharedLimits::Source::kStore;
  if (take_lent(now, taken.decision, left)) {
    taken.ask = from_store && left <= ask_at_.load(std::memory_order_relaxed) && signals.ask();
    return taken;
  }
  if (!from_store) {
    const RateLimit share = share_of(limit, shared.live_nodes());
    local_.begin_with(share, kShareBeginsWith, shared.since());
    taken.decision = local_.admit(share, now);
    return taken;
  }
  if (const Duration denied = signals.denied_for(now); denied > Duration(0)) {
    const Duration reset(reset_at_ns_.load(std::memory_order_relaxed));
    taken.decision.retry_after = denied;
    taken.decision.reset_after = std::max(reset - now.time_since_epoch(), denied);
    return taken;
  }
  taken.decision.pending = true;
  taken.ask = signals.ask();
  return taken;
}

bool RateGate::take_lent(MonotonicTime now, RateDecision& decision, int64_t& left) {
  int64_t tokens = tokens_.load(std::memory_order_relaxed);
  const int64_t now_ns = now.time_since_epoch().count();
  while (tokens > 0 && now_ns < valid_until_ns_.load(std::memory_order_relaxed)) {
    if (!tokens_.compare_exchange_weak(tokens, tokens - 1, std::memory_order_relaxed)) continue;
    left = tokens - 1;
    const Duration reset(reset_at_ns_.load(std::memory_order_relaxed) - now_ns);
    decision = {.admitted = true,
                .remaining = clamp_count(left + remaining_.load(std::memory_order_relaxed)),
                .reset_after = std::max(reset, Duration(0))};
    return true;
  }
  return false;
}

void RateGate::credit(const Credit& credit) {
  remaining_.store(credit.remaining, std::memory_order_relaxed);
  reset_at_ns_.store(credit.reset_at.time_since_epoch().count(), std::memory_order_relaxed);
  ask_at_.store(credit.ask_at, std::memory_order_relaxed);
  valid_until_ns_.store(credit.valid_until.time_since_epoch().count(), std::memory_order_relaxed);
  tokens_.fetch_add(credit.tokens, std::memory_order_relaxed);
}

uint32_t RateGate::withdraw_share(const RateLimit& limit, uint32_t nodes, MonotonicTime since,
                                  MonotonicTime at) {
  const RateLimit share = share_of(limit, nodes);
  local_.begin_with(share, kShareBeginsWith, since);
  const uint32_t left = local_.available(share, at);
  local_.begin_with(share, 0, at);
  return left;
}

}  // namespace partywall
