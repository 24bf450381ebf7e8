#include <cassert>

#include "cache/channel_names.h"
#include "cache/keyspace_work.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"

// What comes back for a session.
namespace partywall::cache {
namespace {
constexpr std::string_view kNotTold =
    "-ERR it cannot be told whether the quota of this tenant allows it; nothing was done\r\n";
}

void SessionFsm::pass(std::string_view bytes, uint32_t completed) {
  if (was_refused()) give_up_busy();
  if (bytes.starts_with('-')) {
    say(with_own_name(bytes));
  } else {
    say(bytes);
  }
  replies_arrived(completed);
}

void SessionFsm::use(ReplyUse use, std::string_view reply, const ServerFacts& facts) {
  if (was_refused() && use != ReplyUse::kQuotaStep) give_up_busy();
  if (use == ReplyUse::kKeyspaceStep) {
    work_->job->answered(reply);
    // Names have left the index with the keys that FLUSHDB removes.
    if (work_->removes && quota_ != nullptr) quota_->forgot_names();
    return replies_arrived(1);
  }
  if (use == ReplyUse::kQuotaStep) {
    if (quota_work_ && question_is_refused_as_busy(reply)) return replies_arrived(1);
    if (quota_work_ && !quota_work_->questions->answered(reply))
      quota_work_->failure = reply.starts_with('-') ? reply : kNotTold;
    return replies_arrived(1);
  }
  if (use == ReplyUse::kFlushPart) {
    if (flushing_ && reply.starts_with('-'))
      flushing_->failure = reply.substr(1, reply.find('\r') - 1);
    return replies_arrived(1);
  }
  if (use == ReplyUse::kLoaded || use == ReplyUse::kLoadedFirst) {
    const std::string text = script_loaded(reply);
    if (use == ReplyUse::kLoaded) say(text);
    return replies_arrived(1);
  }
  if (use == ReplyUse::kMoved) {
    // MOVE counts what it has moved.
    say(reply.starts_with("-ERR no such key") ? ":0\r\n"
                                              : without_prefix(reply, route_->key_prefix()));
    return replies_arrived(1);
  }
  // The login cannot have changed: the session waits for all replies before it does.
  const Tenant* tenant = login_ ? host_.directory->find_tenant(login_->tenant) : nullptr;
  std::string text;
  if (use == ReplyUse::kAbortedExec) {
    append_error(text, "EXECABORT Transaction discarded because of previous errors.");
  } else if (tenant == nullptr) {
    append_error(text, "NOAUTH Authentication required.");
  } else if (reply.starts_with('-')) {
    text = reply;
  } else if (use == ReplyUse::kInfo) {
    text = info_answer(reply, facts, *tenant, view());
  } else if (use == ReplyUse::kChannels) {
    text = channels_without_prefix(reply, channel_prefix(tenant->id));
  } else {
    text = channel_counts_without_prefix(reply, channel_prefix(tenant->id));
  }
  say(text);
  replies_arrived(1);
}

void SessionFsm::answer(std::string_view text) {
  if (was_refused()) give_up_busy();
  waiting_bytes_ -= text.size();
  say(text);
  replies_arrived(1);
}

void SessionFsm::lost(uint32_t unanswered, LostReplies how) {
  if (was_refused()) give_up_busy();
  lookups_.clear();
  count(CacheMeter::kFailed, unanswered);
  // A transaction or a watch is gone with its connection, and a reply that was cut cannot be
  // mended: the client must see that the connection ends, as it would with Redis itself.
  const bool held = held_ && held_->upstream == route_ && held_->hold == Hold::kUntilReleased;
  if (held || how == LostReplies::kFirstCut) closing_ = true;
  if (how == LostReplies::kFirstCut) {
    muted_ = true;
    return replies_arrived(unanswered);
  }
  if (flushing_) {  // nothing else is unanswered
    flushing_->failure = "ERR the connection to the cache was lost; the outcome is not known";
    return replies_arrived(unanswered);
  }
  if (quota_work_) {  // nothing else is unanswered
    append_error(quota_work_->failure, "ERR the cache cannot be reached now; try again");
    return replies_arrived(unanswered);
  }
  std::string text;
  append_error(text, how == LostReplies::kNeverSent
                         ? "ERR the cache cannot be reached now; try again"
                         : "ERR the connection to the cache was lost before it answered; the "
                           "outcome is not known");
  work_ = nullptr;
  // It is lost alone, before the EVAL that the client knows of.
  const bool unasked = std::exchange(loading_, std::nullopt).value_or(Loading{}).unasked;
  for (uint32_t i = unasked ? 1 : 0; i < unanswered; ++i) say(text);
  replies_arrived(unanswered);
}

void SessionFsm::say(std::string_view bytes) {
  if (replies_ == Replies::kOn || replies_ == Replies::kSkipNext) push(bytes);
}

// What is not a reply.
void SessionFsm::push(std::string_view bytes) {
  if (!muted_) output_.append(bytes);
}

// For SLOWLOG.
void SessionFsm::note_time() {
  if (!std::exchange(timing_.running, false) || !login_) return;
  const Duration took = host_.time.monotonic() - timing_.since;
  if (took < SlowLog::kThreshold) return;
  host_.slow_log.add(login_->tenant, {.at = host_.time.wall(),
                                      .took = took,
                                      .arguments = timing_.request.arguments(),
                                      .client_address = address_,
                                      .client_name = self_.name});
}

void SessionFsm::replies_arrived(uint32_t count) {
  assert(count <= outstanding_);
  outstanding_ -= count;
  answered_ += count;
  count_lookups();
  settle_charges();
  if (outstanding_ == 0) note_time();
  if (outstanding_ == 0 && script_) end_script();
  if (outstanding_ == 0 && lane_place_.in_use()) lane_place_.answered();
  if (outstanding_ == 0 && stream_to_ != nullptr) {
    // Redis does not wait for the rest of the request, so it has ended the connection.
    if (held_->hold == Hold::kUntilReleased) closing_ = true;
    drop_held();
  }
  if (outstanding_ == 0 && held_ && held_->hold != Hold::kUntilReleased) release_held();
  deliver_kept_messages();
  deliver_invalidations();
  waker_.wake();
}

}  // namespace partywall::cache
