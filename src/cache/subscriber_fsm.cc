#include "cache/subscriber_fsm.h"

#include "base/log.h"

namespace partywall::cache {
namespace {
// Of a message with its channel. Redis takes up to 512 MB; it is checked whole before it is passed
// on.
constexpr size_t kMaxMessageBytes = 32UL << 20;
}  // namespace

void SubscriberFsm::send(std::string_view request) {
  output_.append(request);
  wake();
}

void SubscriberFsm::detach() {
  sink_ = nullptr;
  closing_ = true;
  wake();
}

std::string_view SubscriberFsm::output() const {
  if (closing_) return {};
  return ready() ? output_.view() : handshake_.output();
}

void SubscriberFsm::sent(size_t bytes) {
  if (!ready()) return handshake_.sent(bytes);
  output_.consume(bytes);
  if (output_.empty()) output_.release();
}

void SubscriberFsm::receive(std::string_view bytes) {
  if (closing_) return;
  if (!ready()) {
    if (handshake_.receive(bytes) == Handshake::Status::kRefused)
      fail("the login was refused, " + handshake_.problem());
    return;
  }
  while (!bytes.empty() && !closing_) {
    const ReplyScanner::Step step = scanner_.scan(bytes);
    frame_ += bytes.substr(0, step.bytes);
    bytes.remove_prefix(step.bytes);
    if (step.status == ReplyScanner::Status::kInvalid) return fail("Redis sent what is not RESP");
    if (frame_.size() > kMaxMessageBytes) return fail("a message of more than 32 MiB");
    if (step.status == ReplyScanner::Status::kIncomplete) return;
    const auto frame = read_push_frame(frame_, names_);
    if (!frame) return fail("Redis sent what is not of this tenant's channels");
    frame_ = {};
    const bool foreign = frame->kind == PushFrame::Kind::kForeign;
    if (sink_ != nullptr && !foreign) sink_->deliver(*frame);
  }
}

void SubscriberFsm::fail(std::string_view why) {
  log_error("the cache door closes a subscriber connection", {{"reason", why}});
  lost();
}

void SubscriberFsm::lost() {
  closing_ = true;
  if (sink_ != nullptr) std::exchange(sink_, nullptr)->subscriber_lost();
  wake();
}

}  // namespace partywall::cache
