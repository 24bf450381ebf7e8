#include "policy/store_return.h"

#include <utility>

namespace partywall {

void StoreReturn::connected(MonotonicTime now) {
  state_ = State::kSettling;
  connected_at_ = now;
  next_beat_ = now;
  beat_under_way_ = false;
}

void StoreReturn::lost(MonotonicTime now) {
  if (state_ == State::kOpen) away_since_ = now;
  state_ = State::kAway;
}

std::optional<NodeLedger::Call> StoreReturn::take_beat(MonotonicTime now) {
  if (state_ == State::kAway || beat_under_way_ || now < next_beat_) return std::nullopt;
  beat_under_way_ = true;
  next_beat_ = now + kBeat;
  NodeLedger::Call call{.node = node_};
  decides_ = state_ == State::kSettling && away_since_ && now >= connected_at_ + kSettle;
  if (state_ == State::kOpen) {
    call.state = NodeLedger::State::kServed;
  } else if (decides_) {
    call.state = NodeLedger::State::kDeciding;
    call.away_us = std::chrono::ceil<microseconds>(now - *away_since_).count();
  }
  return call;
}

void StoreReturn::answered(const NodeLedger::Answer& answer, MonotonicTime sent) {
  beat_under_way_ = false;
  if (state_ != State::kSettling || (away_since_ && !decides_)) return;
  const auto ahead = microseconds(answer.epoch_us - answer.now_us);
  state_ = State::kHolding;
  opening_ = {.epoch_us = answer.epoch_us, .after_outage = away_since_ && ahead > Duration(0)};
  // From when it was sent, so that this node's share ends before the epoch begins.
  opens_at_ = ahead > Duration(0) ? sent + ahead : sent;
}

std::optional<StoreReturn::Opening> StoreReturn::take_opening(MonotonicTime now) {
  if (state_ != State::kHolding || now < opens_at_) return std::nullopt;
  state_ = State::kOpen;
  away_since_.reset();
  next_beat_ = now;  // the others shall know soon that it is served
  return opening_;
}

}  // namespace partywall
