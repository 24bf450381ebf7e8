#include "cache/upstream_fsm.h"

#include <cassert>

#include "base/log.h"

namespace partywall::cache {
namespace {
constexpr size_t kMaxCollectedBytes = 16UL << 20;
constexpr size_t kKeptOutputBytes = 64UL << 10;
}  // namespace

void UpstreamFsm::send(ReplySink& sink, std::string_view requests, uint32_t count) {
  assert(usable());
  output_.append(requests);
  const bool same = !pending_.empty() && pending_.back().sink == &sink &&
                    pending_.back().use == ReplyUse::kPass && pending_.back().text == nullptr;
  if (same) {
    pending_.back().count += count;
  } else {
    pending_.push({.sink = &sink, .count = count});
  }
  wake();
}

void UpstreamFsm::send_for(ReplyUse use, ReplySink& sink, std::string_view request) {
  assert(usable());
  output_.append(request);
  pending_.push({.sink = &sink, .count = 1, .use = use});
  wake();
}

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
  for (size_t i = 0; i < pending_.size(); ++i) pending_.at(i).sink = nullptr;
  wake();
}

void UpstreamFsm::finish() {
  finishing_ = true;
  wake();
}

std::string_view UpstreamFsm::output() const {
  if (closing_) return {};
  return ready() ? output_.view() : handshake_.output();
}

void UpstreamFsm::sent(size_t bytes) {
  if (!ready()) return handshake_.sent(bytes);
  output_.consume(bytes);
  if (output_.empty() && output_.capacity() > kKeptOutputBytes) output_.release();
}

bool UpstreamFsm::wants_input() const {
  return pending_.empty() || pending_.front().sink == nullptr ||
         !pending_.front().sink->congested();
}

void UpstreamFsm::receive(std::string_view bytes) {
  if (closing_) return;
  if (!ready()) {
    if (handshake_.receive(bytes) == Handshake::Status::kRefused)
      fail("the login was refused, " + handshake_.problem());
    return;
  }
  while (!bytes.empty() && !closing_) {
    if (pending_.empty()) return fail("Redis sent what nobody had asked for");
    const size_t taken =
        pending_.front().use == ReplyUse::kPass ? pass_replies(bytes) : collect_reply(bytes);
    bytes.remove_prefix(taken);
    deliver_texts();
  }
}

// As many replies of the first run as are there, in one piece.
size_t UpstreamFsm::pass_replies(std::string_view bytes) {
  Run& run = pending_.front();
  size_t taken = 0;
  uint32_t completed = 0;
  while (completed < run.count && taken < bytes.size()) {
    const ReplyScanner::Step step = scanner_.scan(bytes.substr(taken));
    // Out-of-band data must not be here: tracking and subscribing have connections of their own.
    if (step.status == ReplyScanner::Status::kInvalid || scanner_.type() == '>') {
      fail("Redis sent what is not a reply");
      return bytes.size();
    }
    taken += step.bytes;
    if (step.status == ReplyScanner::Status::kReply) {
      ++completed;
      last_reply_type_ = scanner_.type();
    }
  }
  run.count -= completed;
  ReplySink* sink = run.sink;
  if (run.count == 0) pending_.pop();
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
  collected_ += bytes.substr(0, step.bytes);
  if (step.status == ReplyScanner::Status::kReply) {
    last_reply_type_ = scanner_.type();
    const ReplyUse use = pending_.front().use;
    ReplySink* sink = pending_.front().sink;
    pending_.pop();
    if (sink != nullptr) sink->use(use, collected_, facts());
    collected_ = {};
  }
  return step.bytes;
}

void UpstreamFsm::deliver_texts() {
  while (!pending_.empty() && pending_.front().text != nullptr) {
    const Run run = std::move(pending_.front());
    pending_.pop();
    if (run.sink != nullptr) run.sink->answer(*run.text);
  }
}

void UpstreamFsm::fail(std::string why) {
  log_warning("the cache door closes a connection to Redis", {{"reason", why}});
  lost();
}

void UpstreamFsm::lost() {
  closing_ = true;
  LostReplies how = ready() ? LostReplies::kUnknownOutcome : LostReplies::kNeverSent;
  // Only the first run can have been answered in part, and only where it is passed on at once.
  const bool cut =
      scanner_.inside_reply() && !pending_.empty() && pending_.front().use == ReplyUse::kPass;
  if (cut) how = LostReplies::kFirstCut;
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
