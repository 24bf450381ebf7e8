#include <fmt/format.h>

#include "base/text.h"
#include "cache/commands/command_rule.h"
#include "cache/session_fsm.h"

// SELECT and FLUSHALL: a tenant's clients number its databases from 0, Redis has them wherever the
// directory says.
namespace partywall::cache {

// In prefix mode there is no room for more than one within the prefix.
uint32_t SessionFsm::databases_of(const Turn& turn) const {
  return backend_of(*turn.tenant).mode == CacheMode::kPrefix ? 1
                                                             : turn.tenant->limits.cache_databases;
}

// The connections of the database that was selected before go on with what they were asked.
SessionFsm::Next SessionFsm::select(const Request& request, Turn& turn) {
  if (request.argument_count != 2) return refuse(turn, wrong_arguments("select"));
  const auto number = parse_unsigned(request.first);
  if (!number) {
    const bool negative = request.first.starts_with('-');
    return refuse(turn, negative ? "ERR DB index is out of range"
                                 : "ERR value is not an integer or out of range");
  }
  if (*number >= databases_of(turn)) return refuse(turn, "ERR DB index is out of range");
  if (*number != database_) {
    if (transaction_.watching || tracking_)
      return refuse(turn, "ERR another database is not available after WATCH or CLIENT TRACKING");
    flush(turn);
    database_ = static_cast<uint32_t>(*number);
    upstreams_ = nullptr;
    turn.shared = nullptr;
    register_self();
  }
  return reply(turn, "+OK\r\n");
}

// Of a tenant with several databases: one after the other, the selected one last. It comes here
// again after every answer.
SessionFsm::Next SessionFsm::flush_all(Turn& turn) {
  if (transaction_.open || transaction_.watching)
    return refuse(turn, "ERR FLUSHALL of several databases is not available after WATCH or MULTI");
  if (!all_answered(turn) || held_) return Next::kWait;
  if (!flushing_) {
    if (const auto other = count_against_rate(turn)) return *other;
    flushing_ = Flushing{.next = 0, .failure = {}};
  }
  if (flushing_->next == database_) ++flushing_->next;
  const bool last = flushing_->next >= databases_of(turn);
  std::string failure = flushing_->failure;
  if (failure.empty()) {
    const uint32_t database = last ? database_ : flushing_->next++;
    const auto upstreams =
        host_.upstreams.of(*turn.tenant, protocol_, UpstreamUser::kTenant, database);
    const auto shared =
        upstreams ? (*upstreams)->shared(turn.now) : std::unexpected(upstreams.error());
    if (shared) {
      if (last) flushing_.reset();
      if (last && has_quota(turn)) quota_->note_removal();
      send_now(*shared, make_request({"FLUSHDB", "ASYNC"}),
               last ? ReplyUse::kPass : ReplyUse::kFlushPart);
      announce_flush(**shared, database, turn);
      return last ? Next::kDone : Next::kWait;
    }
    failure = "ERR " + shared.error().message;
  }
  flushing_.reset();
  return refuse(turn, failure + " (some databases may be empty now)");
}

}  // namespace partywall::cache
