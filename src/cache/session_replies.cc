#include <cassert>

#include "cache/channel_names.h"
#include "cache/keyspace_work.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"

// What comes back for a session.
namespace partywall::cache {

void SessionFsm::pass(std::string_view bytes, uint32_t completed) {
  say(bytes);
  replies_arrived(completed);
}

void SessionFsm::use(ReplyUse use, std::string_view reply, const ServerFacts& facts) {
  if (use == ReplyUse::kKeyspaceStep) {
    work_->job->answered(reply);
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
    text = info_answer(reply, facts, *tenant, protocol_);
  } else if (use == ReplyUse::kChannels) {
    text = channels_without_prefix(reply, channel_prefix(tenant->id));
  } else {
    text = channel_counts_without_prefix(reply, channel_prefix(tenant->id));
  }
  say(text);
  replies_arrived(1);
}

void SessionFsm::answer(std::string_view text) {
  say(text);
  replies_arrived(1);
}

void SessionFsm::lost(uint32_t unanswered, LostReplies how) {
  count(CacheMeter::kFailed, unanswered);
  // A transaction or a watch is gone with its connection, and a reply that was cut cannot be
  // mended: the client must see that the connection ends, as it would with Redis itself.
  const bool held = held_ && held_->upstream == route_ && held_->hold == Hold::kUntilReleased;
  if (held || how == LostReplies::kFirstCut) closing_ = true;
  if (how == LostReplies::kFirstCut) {
    muted_ = true;
    return replies_arrived(unanswered);
  }
  std::string text;
  append_error(text, how == LostReplies::kNeverSent
                         ? "ERR the cache cannot be reached now; try again"
                         : "ERR the connection to the cache was lost before it answered; the "
                           "outcome is not known");
  work_ = nullptr;
  for (uint32_t i = 0; i < unanswered; ++i) say(text);
  replies_arrived(unanswered);
}

void SessionFsm::say(std::string_view bytes) {
  if (!muted_) output_.append(bytes);
}

void SessionFsm::replies_arrived(uint32_t count) {
  assert(count <= outstanding_);
  outstanding_ -= count;
  if (outstanding_ == 0 && held_ && held_->hold != Hold::kUntilReleased) release_held();
  deliver_kept_messages();
  waker_.wake();
}

}  // namespace partywall::cache
