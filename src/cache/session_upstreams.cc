#include <cassert>

#include "cache/session_fsm.h"

// Where a session's requests go.
namespace partywall::cache {

Result<TenantUpstreams*> SessionFsm::tenant_upstreams(const Turn& turn) {
  if (upstreams_ == nullptr) {
    auto upstreams = host_.upstreams.of(*turn.tenant, protocol_, UpstreamUser::kTenant, database_);
    if (!upstreams) return std::unexpected(upstreams.error());
    upstreams_ = std::move(*upstreams);
  }
  return upstreams_.get();
}

// The connection held by the session, if there is one, otherwise the one its tenant's clients
// share.
Result<UpstreamFsm*> SessionFsm::upstream_for_plain(Turn& turn) {
  // One that is given back after its last reply is not for new requests, but they wait for it.
  if (held_) return held_->upstream.get();
  if (turn.shared == nullptr) {
    const auto upstreams = tenant_upstreams(turn);
    if (!upstreams) return std::unexpected(upstreams.error());
    auto shared = (*upstreams)->shared(turn.now);
    if (!shared) return std::unexpected(shared.error());
    turn.shared = std::move(*shared);
  }
  return turn.shared.get();
}

// True when replies from elsewhere must arrive first, so that they stay in order.
bool SessionFsm::must_wait_for(const UpstreamFsm& upstream, Turn& turn) {
  const bool leaving = held_ && held_->hold != Hold::kUntilReleased;
  const bool elsewhere = !turn.run.empty() && turn.run.to() != &upstream;
  if (leaving || elsewhere) flush(turn);
  return leaving || (outstanding_ > 0 && route_.get() != &upstream);
}

bool SessionFsm::all_answered(Turn& turn) {
  flush(turn);
  return outstanding_ == 0;
}

void SessionFsm::send(UpstreamFsm& upstream, const Request& request, const CommandRule& rule,
                      Turn& turn) {
  if (!upstream.key_prefix().empty()) {
    send_prefixed(upstream, request, rule, turn);
  } else {
    if (!turn.run.empty() && !turn.run.continues(upstream, request.bytes)) flush(turn);
    note_lookup(request, rule, turn);
    turn.run.add(upstream, request.bytes);
  }
  // Its bytes are the parser's, which needs them for the next one.
  if (request.form == RequestForm::kInline) flush(turn);
}

void SessionFsm::send_now(const std::shared_ptr<UpstreamFsm>& upstream, std::string_view request,
                          ReplyUse use) {
  assert(outstanding_ == 0 || route_ == upstream);
  route_ = upstream;
  ++outstanding_;
  if (use == ReplyUse::kPass) {
    upstream->send(*this, request, 1);
  } else {
    upstream->send_for(use, *this, request);
  }
}

// For SLOWLOG: of a command that is sent alone the time is known.
void SessionFsm::time_requests(std::string_view requests, uint32_t count) {
  timing_.running = outstanding_ == 0 && count == 1 && (!held_ || held_->hold != Hold::kBlocking);
  if (!timing_.running) return;
  timing_.since = host_.time.monotonic();
  timing_.request.keep(requests);
}

void SessionFsm::flush(Turn& turn) {
  if (turn.run.empty()) return;
  const bool held = held_ && held_->upstream.get() == turn.run.to();
  const std::shared_ptr<UpstreamFsm>& upstream = held ? held_->upstream : turn.shared;
  assert(upstream.get() == turn.run.to());
  assert(outstanding_ == 0 || route_ == upstream);
  route_ = upstream;
  if (outstanding_ == 0) batch_.begin(answered_);
  batch_.add(turn.run.bytes(), turn.run.count(), turn.run.reply_keys());
  time_requests(turn.run.original(), turn.run.count());
  outstanding_ += turn.run.count();
  upstream->send(*this, turn.run.bytes(), turn.run.count(),
                 {.keys = turn.run.reply_keys(), .transaction = nullptr});
  turn.run.clear();
  release_rewritten();
}

}  // namespace partywall::cache
