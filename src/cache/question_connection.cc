#include "cache/question_connection.h"

#include <utility>

namespace partywall::cache {
namespace {
// A cluster of a thousand nodes describes itself in about 300 KiB.
constexpr size_t kMaxReplyBytes = 4UL << 20;
}  // namespace

QuestionConnection::QuestionConnection(std::string requests, QuestionSink& sink) : sink_(&sink) {
  output_.append(requests);
}

void QuestionConnection::ask(std::string_view request) {
  output_.append(request);
  wake();
}

void QuestionConnection::close() {
  sink_ = nullptr;
  wake();
}

void QuestionConnection::receive(std::string_view bytes) {
  while (!bytes.empty() && sink_ != nullptr) {
    const ReplyScanner::Step step = scanner_.scan(bytes);
    reply_ += bytes.substr(0, step.bytes);
    bytes.remove_prefix(step.bytes);
    if (step.status == ReplyScanner::Status::kInvalid || reply_.size() > kMaxReplyBytes)
      return lost();
    if (step.status == ReplyScanner::Status::kIncomplete) return;
    const auto tree = parse_reply_tree(reply_);
    if (!tree) return lost();
    reply_.clear();
    ready_ = true;
    sink_->answered(*tree);
  }
}

void QuestionConnection::lost() {
  if (QuestionSink* sink = std::exchange(sink_, nullptr)) sink->question_lost();
  wake();
}

}  // namespace partywall::cache
