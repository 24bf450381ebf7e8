#include "cache/session_fsm.h"

#include <cassert>
#include <utility>

#include "base/log.h"
#include "cache/keyspace_work.h"
#include "cache/prefix/key_prefixer.h"

namespace partywall::cache {
namespace {
// Beyond this an empty buffer gives its memory back, so that idle connections cost little.
constexpr size_t kKeptBufferBytes = 4UL << 10;
constexpr size_t kReadAheadBytes = 64UL << 10;

void release_if_large(ByteBuffer& buffer) {
  if (buffer.empty() && buffer.capacity() > kKeptBufferBytes) buffer.release();
}
}  // namespace

SessionFsm::SessionFsm(SessionHost& host, Waker& waker, uint64_t id, std::string address)
    : host_(host), waker_(waker), id_(id), address_(std::move(address)) {
  self_.id = id_;
  self_.address = address_;
  self_.connected_at = host_.time.monotonic();
}

SessionFsm::~SessionFsm() {
  if (login_) host_.clients.leave(id_);
  end_tracking();
  leave_quota();
  drop_held();
  drop_subscriber();
  if (outstanding_ > 0) route_->abandon(*this);
}

void SessionFsm::receive(std::string_view bytes) {
  if (closing_) return;
  count(CacheMeter::kBytesIn, bytes.size());
  if (!input_.empty()) {
    input_.append(bytes);
    process_kept_input();
  } else {
    const size_t done = process(bytes);
    if (!closing_) input_.append(bytes.substr(done));
  }
  account_for_input();
}

// Unfinished requests take memory of the tenant's share, which is bounded.
void SessionFsm::account_for_input() {
  // What a stranger may send is bounded without it.
  const size_t size = !number_ || input_.size() <= kReadAheadBytes ? 0 : input_.size();
  if (input_units_.resize(host_.buffers, number_.value_or(TenantNumber()), size)) return;
  input_units_.release();
  input_.clear();
  input_.release();
  std::string text;
  append_error(text, "LIMIT the unfinished requests of this tenant's clients take too much memory");
  Turn turn{.now = host_.time.monotonic()};
  reply(turn, std::move(text));
  closing_ = true;
}

void SessionFsm::input_ended() {
  input_ended_ = true;
  // Nobody is left to take what a blocked command would fetch, or to read messages.
  if (subscriber_ || stream_ || (held_ && held_->hold == Hold::kBlocking)) {
    end_stream();
    drop_held();
    drop_subscriber();
    closing_ = true;
  }
  resume();
}

void SessionFsm::resume() {
  continue_after_pause();
  if (login_) host_.indexes.flush_urgent(*host_.directory);
  continue_work();
  continue_quota_work();
  if (flushed_ && outstanding_ == 0) {
    Turn turn{.now = host_.time.monotonic()};
    bind_tenant(turn);
    flushed_ = false;
    const auto shared =
        turn.tenant == nullptr ? Result<UpstreamFsm*>(nullptr) : upstream_for_plain(turn);
    if (shared && *shared != nullptr) announce_flush(**shared, database_, turn);
  }
  process_kept_input();
  // What is still there now is half a request.
  if (input_ended_ && outstanding_ == 0 && !stalled_ && work_ == nullptr) closing_ = true;
  if (draining_ && !transaction_.open && work_ == nullptr) closing_ = true;
}

void SessionFsm::process_kept_input() {
  if (!closing_ && !input_.empty()) input_.consume(process(input_.view()));
  if (closing_) input_.clear();
  release_if_large(input_);
  account_for_input();
}

// Looks at as many requests as may be looked at now; the bytes that are done with.
size_t SessionFsm::process(std::string_view data) {
  Turn turn{.now = host_.time.monotonic()};
  bind_tenant(turn);
  size_t done = stream_ ? continue_stream(data, turn) : 0;
  stalled_ = false;
  if (stream_) return done;
  while (done < data.size() && !closing_) {
    stalled_ = paused(turn);
    if (stalled_) break;
    const RequestLimits& limits =
        turn.tenant != nullptr ? host_.limits.requests : host_.limits.requests_before_login;
    const RequestParser::Status status = parser_.parse(data.substr(done), limits);
    if (status == RequestParser::Status::kInvalid) {
      std::string text;
      append_error(text, "ERR Protocol error: " + parser_.problem());
      reply(turn, std::move(text));
      closing_ = true;
      break;
    }
    if (status == RequestParser::Status::kRequest &&
        handle(parser_.request(), turn) == Next::kWait) {
      stalled_ = true;
      break;
    }
    forget_quota_try();
    done += parser_.consumed();
    if (status == RequestParser::Status::kIncomplete) {
      done += begin_stream(data.substr(done), turn);
      break;
    }
    if (turn.tenant != nullptr) ++turn.commands;
  }
  flush(turn);
  // Nothing is looked at for which a place is kept.
  if (!stalled_ && lane_place_.pending()) lane_place_.cancel();
  if (turn.commands > 0) count(CacheMeter::kCommands, turn.commands);
  return done;
}

bool SessionFsm::paused(const Turn& turn) const {
  return work_ != nullptr || quota_work_ || waits_for_script() ||
         output_.size() + waiting_bytes_ >= host_.limits.output_pause_bytes ||
         (outstanding_ > 0 && route_->backlog() >= host_.limits.upstream_pause_bytes) ||
         outstanding_ + turn.run.count() >= host_.limits.max_outstanding;
}

bool SessionFsm::wants_input() const {
  return !closing_ && !input_ended_ && !stream_is_congested() &&
         !(stalled_ && input_.size() >= kReadAheadBytes);
}

bool SessionFsm::congested() const {
  return output_.size() + messages_.size() >= host_.limits.output_pause_bytes;
}

void SessionFsm::drained() {
  if (stalled_ || stream_to_ != nullptr) waker_.wake();
}

void SessionFsm::sent(size_t bytes) {
  const bool was_congested = congested();
  output_.consume(bytes);
  count(CacheMeter::kBytesOut, bytes);
  release_if_large(output_);
  if (!was_congested || congested()) return;
  if (route_ != nullptr) route_->wake();
  if (subscriber_) subscriber_->upstream->wake();
  waker_.wake();
}

void SessionFsm::drain() {
  if (std::exchange(draining_, true))
    return;  // a wake for each turn would never let others have one
  waker_.wake();
}

void SessionFsm::count(CacheMeter meter, uint64_t amount) {
  if (number_) host_.meters.add(*number_, meter, amount);
}

}  // namespace partywall::cache
