#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "cache/resp/reply_scanner.h"
#include "cache/resp/reply_tree.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// Who asks the questions. It may ask and close from within these calls.
class QuestionSink {
 public:
  virtual ~QuestionSink() = default;
  // The next reply, or a message that was subscribed to.
  virtual void answered(const ReplyTree& reply) = 0;
  // The connection has ended, or could not be opened; nothing more comes.
  virtual void question_lost() = 0;
};

// A connection on which the door asks a Sentinel or a node of a cluster about the others: small
// replies, read whole.
class QuestionConnection final : public UpstreamIo {
 public:
  // `sink` must stay until close() or question_lost().
  QuestionConnection(std::string requests, QuestionSink& sink);

  void ask(std::string_view request);
  // Ends the connection; the sink hears nothing more.
  void close();

  // --- For the shell.
  [[nodiscard]] std::string_view output() const override { return output_.view(); }
  void sent(size_t bytes) override { output_.consume(bytes); }
  [[nodiscard]] bool wants_input() const override { return true; }
  void receive(std::string_view bytes) override;
  void lost() override;
  [[nodiscard]] bool must_close() const override { return sink_ == nullptr; }
  // From the first reply on.
  [[nodiscard]] bool ready() const override { return ready_; }

 private:
  QuestionSink* sink_;
  ByteBuffer output_;
  ReplyScanner scanner_;
  std::string reply_;  // as far as it has arrived
  bool ready_ = false;
};

}  // namespace partywall::cache
