#include "cache/handshake.h"

#include <utility>

#include <fmt/format.h>

#include "cache/reply_sink.h"

namespace partywall::cache {
namespace {
constexpr size_t kMaxReplyBytes = 64 * 1024;

// They hold passwords.
void wipe(std::string& requests) {
  std::fill(requests.begin(), requests.end(), '\0');
  requests = {};
}

}  // namespace

void Handshake::sent(size_t bytes) { sent_ += bytes; }

Handshake::Status Handshake::receive(std::string_view bytes) {
  while (!bytes.empty()) {
    if (replies_left_ == 0) return refuse(Refusal::kOther, "more than was asked for");
    const ReplyScanner::Step step = scanner_.scan(bytes);
    reply_ += bytes.substr(0, step.bytes);
    bytes.remove_prefix(step.bytes);
    if (step.status == ReplyScanner::Status::kInvalid)
      return refuse(Refusal::kOther, "bytes that are not RESP");
    if (reply_.size() > kMaxReplyBytes)
      return refuse(Refusal::kOther, "a reply of more than 64 KiB");
    if (step.status == ReplyScanner::Status::kIncomplete) continue;
    // It logs in meanwhile, but selects no database: all of it is said again when all is answered.
    const bool too_busy = reply_.starts_with(kScriptKeepsBusy);
    if (too_busy) refusal_ = Refusal::kOther;
    if (!too_busy && (scanner_.type() == '-' || scanner_.type() == '!')) {
      const bool login = reply_.starts_with("-WRONGPASS") || reply_.starts_with("-NOAUTH");
      return refuse(login ? Refusal::kLogin : Refusal::kOther, reply_);
    }
    if (!too_busy && step_ == role_step_ && !reply_.contains("\r\nmaster\r\n"))
      return refuse(Refusal::kNotPrimary, "the server is not the primary");
    facts_.learn(reply_);
    reply_.clear();
    ++step_;
    --replies_left_;
  }
  if (replies_left_ > 0) return status_;
  if (std::exchange(refusal_, Refusal::kNone) != Refusal::kNone) {
    replies_left_ = step_ - 1;
    step_ = 1;
    sent_ = 0;
    return status_;
  }
  wipe(output_);
  sent_ = 0;
  status_ = Status::kDone;
  return status_;
}

Handshake::Status Handshake::refuse(Refusal why, std::string_view what) {
  refusal_ = why;
  problem_ = fmt::format("step {}: {}", step_, what.substr(0, what.find_first_of("\r\n")));
  wipe(output_);
  sent_ = 0;
  status_ = Status::kRefused;
  return status_;
}

}  // namespace partywall::cache
