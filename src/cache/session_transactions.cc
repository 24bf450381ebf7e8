#include "base/ascii.h"
#include "cache/commands/command_rule.h"
#include "cache/scripts/script_policy.h"
#include "cache/session_fsm.h"

// Requests that need a connection of their own: MULTI, WATCH, blocking commands.
namespace partywall::cache {

SessionFsm::Next SessionFsm::pass_on_held(const Request& request, const CommandRule& rule,
                                          Turn& turn) {
  // Redis must not see a MULTI that it would refuse while we believe it has begun.
  if (rule.kind == CommandKind::kMulti && request.argument_count != 1)
    return refuse(turn, wrong_arguments("multi"));
  const bool waits = held_ ? held_->hold != Hold::kUntilReleased : !all_answered(turn);
  if (waits) {
    flush(turn);
    return Next::kWait;
  }
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  if (!held_) {
    const auto taken = take_held(
        turn, rule.kind == CommandKind::kBlocking ? Hold::kBlocking : Hold::kUntilReleased);
    if (!taken) {
      const bool limit = taken.error().kind == ErrorKind::kLimit;
      return refuse(turn, (limit ? "LIMIT " : "ERR ") + taken.error().message);
    }
  }
  send(*held_->upstream, request, rule, turn);
  if (held_->hold == Hold::kBlocking) set_blocked(true);
  if (rule.kind == CommandKind::kMulti) transaction_.open = true;
  if (rule.kind == CommandKind::kWatch) transaction_.watching = true;
  return Next::kDone;
}

SessionFsm::Next SessionFsm::unwatch(const Request& request, const CommandRule& rule, Turn& turn) {
  if (request.argument_count != 1) return refuse(turn, wrong_arguments("unwatch"));
  if (transaction_.open) return pass_on(request, rule, turn);
  if (!transaction_.watching) return reply(turn, "+OK\r\n");
  send(*held_->upstream, request, rule, turn);
  transaction_ = {};
  held_->hold = Hold::kUntilAnswered;
  return Next::kDone;
}

// EXEC and DISCARD. Neither is held back by a limit: what was begun is ended.
SessionFsm::Next SessionFsm::end_transaction(const Request& request, const CommandRule& rule,
                                             Turn& turn) {
  if (request.argument_count != 1) return refuse(turn, wrong_arguments(rule.name));
  const bool exec = rule.kind == CommandKind::kExec;
  if (!transaction_.open)
    return reply(turn, exec ? "-ERR EXEC without MULTI\r\n" : "-ERR DISCARD without MULTI\r\n");
  flush(turn);
  // What was queued may not be the tenant's any more.
  const bool withdrawn =
      !is_served(turn.tenant->status) ||
      (transaction_.has_own_script &&
       !allows(turn.tenant->limits.cache_scripts, CommandKind::kEval)) ||
      (transaction_.has_script && !allows(turn.tenant->limits.cache_scripts, CommandKind::kFcall));
  if (exec && (transaction_.refused || withdrawn)) {
    send_now(held_->upstream, make_request({"DISCARD"}), ReplyUse::kAbortedExec);
  } else {
    route_ = held_->upstream;
    ++outstanding_;
    if (exec && transaction_.has_script) begin_script(*held_->upstream, turn);
    held_->upstream->send(*this, request.bytes, 1, shape_of_exec());
    // What its scripts do begins only now.
    if (transaction_.unsure && quota_ != nullptr) quota_->charge({.unsure = true});
  }
  if (tracking_) {
    for (const std::string& key : transaction_.read_keys) tracking_->feed->remember(key, id_);
    tracking_->exception = false;
  }
  flushed_ = flushed_ || (exec && transaction_.flushes);
  transaction_ = {};
  held_->hold = Hold::kUntilAnswered;
  return Next::kDone;
}

Result<> SessionFsm::take_held(Turn& turn, Hold hold) {
  const auto upstreams = tenant_upstreams(turn);
  if (!upstreams) return std::unexpected(upstreams.error());
  auto upstream = (*upstreams)->take(turn.now);
  if (!upstream) return std::unexpected(upstream.error());
  held_ = Held{std::move(*upstream), upstreams_, hold};
  return {};
}

// After the last reply. An error at the end leaves open what state the connection is in: EXEC that
// is refused because Redis is busy, for one, leaves the transaction open.
void SessionFsm::release_held() {
  const Held held = *std::exchange(held_, std::nullopt);
  if (held.hold == Hold::kBlocking) set_blocked(false);
  const char last = held.upstream->last_reply_type();
  held.owner->give_back(held.upstream,
                        last == '-' || last == '!' ? Returned::kUnclear : Returned::kClean,
                        host_.time.monotonic());
}

// At once, whatever state it is in.
void SessionFsm::drop_held() {
  if (!held_) return;
  const Held held = *std::exchange(held_, std::nullopt);
  if (held.hold == Hold::kBlocking) set_blocked(false);
  if (stream_to_ == held.upstream) stream_to_.reset();
  if (route_ == held.upstream) {
    outstanding_ = 0;
    refused_ = {};
    lane_place_.answered();
    script_.reset();
    lookups_.clear();
    waiting_bytes_ = 0;
  }
  held.upstream->abandon(*this);
  held.owner->give_back(held.upstream, Returned::kUnclear, host_.time.monotonic());
  transaction_ = {};
}

}  // namespace partywall::cache
