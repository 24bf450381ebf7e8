#include "cache/upstream_fsm.h"

#include <cassert>

#include "base/log.h"

namespace partywall::cache {
namespace {
constexpr size_t kMaxCollectedBytes = 16UL << 20;
constexpr size_t kKeptOutputBytes = 256UL << 10;  // of pipelines that many clients send at once
constexpr size_t kDrainedBytes = 64UL << 10;      // those who waited may send more
}  // namespace

UpstreamFsm::~UpstreamFsm() { end_elsewhere(); }

void UpstreamFsm::send(ReplySink& sink, std::string_view requests, uint32_t count,
                       ReplyShape shape) {
  push({.sink = &sink, .count = count, .text = nullptr, .shape = std::move(shape)}, requests);
}

void UpstreamFsm::send_for(ReplyUse use, ReplySink& sink, std::string_view request) {
  push({.sink = &sink, .count = 1, .use = use}, request);
}

void UpstreamFsm::push(Run run, std::string_view requests) {
  assert(usable());
  output_.append(requests);
  if (place_.redirects == Redirects::kFollow) sent_requests_.add(requests);
  const bool same = !pending_.empty() && pending_.back().sink == run.sink &&
                    run.use == ReplyUse::kPass && pending_.back().use == ReplyUse::kPass &&
                    pending_.back().text == nullptr &&
                    pending_.back().redirected == run.redirected && run.shape.is_plain() &&
                    pending_.back().shape.is_plain();
  if (same) {
    pending_.back().count += run.count;
  } else {
    pending_.push(std::move(run));
  }
  wake();
}

void UpstreamFsm::send_for_nobody(std::string_view request) { push({.count = 1}, request); }

void UpstreamFsm::answer_in_turn(ReplySink& sink, std::string text) {
  assert(!pending_.empty());
  pending_.push({.sink = &sink, .text = std::make_unique<std::string>(std::move(text))});
}

void UpstreamFsm::abandon(const ReplySink& sink) {
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (pending_.at(i).sink == &sink) pending_.at(i).sink = nullptr;
  }
  wake();  // it may have been congested
}

void UpstreamFsm::close() {
  closing_ = true;
  end_elsewhere();
  for (size_t i = 0; i < pending_.size(); ++i) pending_.at(i).sink = nullptr;
  wake();
}

void UpstreamFsm::finish() {
  finishing_ = true;
  wake();
}

bool UpstreamFsm::delivers_to(const ReplySink& sink) const {
  if (pending_.empty() || pending_.front().sink != &sink) return false;
  if (elsewhere_) return elsewhere_->answered_in_part;
  return passes_reply();
}

// What arrived behind a redirected request goes on when that one is answered.
void UpstreamFsm::turn() {
  if (elsewhere_ && elsewhere_->again) {
    const Redirection again = *std::exchange(elsewhere_->again, std::nullopt);
    follow(again, elsewhere_->hops + 1);
  }
  if (closing_ || elsewhere_ || kept_input_.empty()) return;
  const std::string kept = std::exchange(kept_input_, {});
  process(kept);
}

std::string_view UpstreamFsm::output() const {
  if (closing_) return {};
  return ready() ? output_.view() : handshake_.output();
}

void UpstreamFsm::sent(size_t bytes) {
  if (!ready()) return handshake_.sent(bytes);
  output_.consume(bytes);
  const size_t left = output_.size();
  if (left <= kDrainedBytes && left + bytes > kDrainedBytes) tell_drained();
  if (output_.empty() && output_.capacity() > kKeptOutputBytes) output_.release();
}

void UpstreamFsm::tell_drained() {
  ReplySink* last = nullptr;
  for (size_t i = 0; i < pending_.size(); ++i) {
    ReplySink* const sink = pending_.at(i).sink;
    if (sink != nullptr && sink != last) sink->drained();
    last = sink;
  }
}

bool UpstreamFsm::wants_input() const {
  if (elsewhere_ || !kept_input_.empty()) return false;
  return pending_.empty() || pending_.front().sink == nullptr ||
         !pending_.front().sink->congested();
}

void UpstreamFsm::receive(std::string_view bytes) {
  if (closing_) return;
  if (!ready()) {
    if (handshake_.receive(bytes) != Handshake::Status::kRefused) return;
    if (const auto events = place_.events.lock()) {
      if (handshake_.refusal() == Handshake::Refusal::kNotPrimary) events->not_primary();
      if (handshake_.refusal() == Handshake::Refusal::kLogin)
        events->login_refused(place_.server, handshake_.problem());
    }
    return fail("the opening exchange failed, " + handshake_.problem());
  }
  if (elsewhere_) {
    kept_input_ += bytes;
  } else {
    process(bytes);
  }
}

void UpstreamFsm::process(std::string_view bytes) {
  while (!bytes.empty() && !closing_) {
    if (elsewhere_) {
      kept_input_ = bytes;
      return;
    }
    if (pending_.empty()) return fail("Redis sent what nobody had asked for");
    const bool collects = pending_.front().use != ReplyUse::kPass || begins_error(bytes);
    size_t taken = 0;
    if (collects) {
      taken = collect_reply(bytes);
    } else {
      taken = pending_.front().shape.is_plain() ? pass_replies(bytes) : strip_reply(bytes);
    }
    bytes.remove_prefix(taken);
    deliver_texts();
  }
}

// Errors are looked at before they are passed on: some say something about the server.
bool UpstreamFsm::begins_error(std::string_view bytes) const {
  return collecting_ ||
         (bytes.front() == '-' && !scanner_.inside_reply() && !stripper_.inside_reply());
}

// One reply that names keys, or as much of it as is there.
size_t UpstreamFsm::strip_reply(std::string_view bytes) {
  stripped_.clear();
  const ReplyStripper::Step step = stripper_.strip(bytes, pending_.front().shape, stripped_);
  if (step.status == ReplyStripper::Status::kInvalid) {
    fail(kForeignKey);
    return bytes.size();
  }
  const bool complete = step.status == ReplyStripper::Status::kReply;
  ReplySink* sink = pending_.front().sink;
  if (complete) {
    last_reply_type_ = stripper_.type();
    pop_front_request();
  }
  if (sink != nullptr) sink->pass(stripped_, complete ? 1 : 0);
  return step.bytes;
}

// As many replies of the first run as are there, in one piece.
size_t UpstreamFsm::pass_replies(std::string_view bytes) {
  Run& run = pending_.front();
  size_t taken = 0;
  uint32_t completed = 0;
  while (completed < run.count && taken < bytes.size()) {
    if (begins_error(bytes.substr(taken))) break;
    const ReplyScanner::Step step = scanner_.scan(bytes.substr(taken));
    // Out-of-band data must not be here: tracking and subscribing have connections of their own.
    if (step.status == ReplyScanner::Status::kInvalid || scanner_.type() == '>') {
      fail("Redis sent what is not a reply");
      return bytes.size();
    }
    taken += step.bytes;
    if (step.status == ReplyScanner::Status::kReply) {
      if (scanner_.nulls() > 0 && run.sink != nullptr)
        run.sink->found_nulls(completed, scanner_.nulls());
      ++completed;
      last_reply_type_ = scanner_.type();
    }
  }
  run.count -= completed;
  ReplySink* sink = run.sink;
  if (run.count == 0) pending_.pop();
  for (uint32_t i = 0; i < completed && place_.redirects == Redirects::kFollow; ++i)
    sent_requests_.pop();
  if (sink != nullptr) sink->pass(bytes.substr(0, taken), completed);
  return taken;
}

size_t UpstreamFsm::collect_reply(std::string_view bytes) {
  const ReplyScanner::Step step = scanner_.scan(bytes);
  if (step.status == ReplyScanner::Status::kInvalid || scanner_.type() == '>' ||
      collected_.size() + step.bytes > kMaxCollectedBytes) {
    fail("Redis sent what is not a reply, or one that is too big");
    return bytes.size();
  }
  collecting_ = step.status == ReplyScanner::Status::kIncomplete;
  collected_ += bytes.substr(0, step.bytes);
  if (!collecting_) {
    last_reply_type_ = scanner_.type();
    const std::string reply = std::exchange(collected_, {});
    if (reply.front() != '-' || !handle_error(reply)) hand_over(reply);
  }
  return step.bytes;
}

// The whole reply to the front request, which is done with.
void UpstreamFsm::hand_over(std::string_view reply) {
  const ReplyUse use = pending_.front().use;
  ReplySink* sink = pending_.front().sink;
  pop_front_request();
  if (sink == nullptr) return;
  if (use == ReplyUse::kPass && reply.starts_with(kScriptKeepsBusy)) {
    sink->refused_as_busy(reply);
  } else if (use == ReplyUse::kPass) {
    // An error: it may name a key.
    sink->pass(key_prefix().empty() ? std::string(reply) : without_prefix(reply, key_prefix()), 1);
  } else {
    sink->use(use, reply, facts());
  }
}

void UpstreamFsm::pop_front_request() {
  if (--pending_.front().count == 0) pending_.pop();
  if (place_.redirects == Redirects::kFollow) sent_requests_.pop();
}

void UpstreamFsm::deliver_texts() {
  while (!pending_.empty() && pending_.front().text != nullptr) {
    const Run run = std::move(pending_.front());
    pending_.pop();
    if (run.sink != nullptr) run.sink->answer(*run.text);
  }
}

void UpstreamFsm::fail(std::string why) {
  log_warning("the cache door closes a connection to Redis",
              {{"server", place_.server.to_string()}, {"reason", why}});
  lost();
}

void UpstreamFsm::lost() {
  closing_ = true;
  LostReplies how = ready() ? LostReplies::kUnknownOutcome : LostReplies::kNeverSent;
  // Only the first run can have been answered in part, and only where it is passed on at once.
  const bool cut = !pending_.empty() && pending_.front().use == ReplyUse::kPass &&
                   (elsewhere_ ? elsewhere_->answered_in_part : passes_reply());
  if (cut) how = LostReplies::kFirstCut;
  end_elsewhere();
  while (!pending_.empty()) {
    const Run run = std::move(pending_.front());
    pending_.pop();
    if (run.sink != nullptr && run.text != nullptr) run.sink->answer(*run.text);
    if (run.sink != nullptr && run.text == nullptr) run.sink->lost(run.count, how);
    if (how == LostReplies::kFirstCut) how = LostReplies::kUnknownOutcome;
  }
  wake();
}

}  // namespace partywall::cache
