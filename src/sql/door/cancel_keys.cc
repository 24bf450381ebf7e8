#include "sql/door/cancel_keys.h"

namespace partywall::sql {

CancelRequest CancelKeys::add(CancelTarget& target) {
  uint32_t pid = 0;
  do {
    last_ = (last_ + 1) & ((1U << kSessionBits) - 1);
    pid = (worker_index_ << kSessionBits) | last_;
  } while (pid == 0 || entries_.contains(pid));
  const auto secret = static_cast<uint32_t>(random_.next_u64());
  entries_[pid] = {secret, &target};
  return {pid, secret};
}

void CancelKeys::remove(const CancelRequest& key) { entries_.erase(key.pid); }

void CancelKeys::cancel(const CancelRequest& key) {
  const auto found = entries_.find(key.pid);
  if (found != entries_.end() && (found->second.secret ^ key.secret) == 0)
    found->second.target->cancel_statement();
}

}  // namespace partywall::sql
