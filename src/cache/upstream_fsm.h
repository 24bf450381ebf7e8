#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "cache/handshake.h"
#include "cache/reply_sink.h"
#include "cache/resp/reply_scanner.h"
#include "cache/ring_queue.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// One connection to Redis that belongs to one tenant for life. Sessions put requests in, replies go
// back to them in order. Its one invariant: the n-th reply goes to whoever sent the n-th request,
// or to nobody; as soon as that is in doubt the connection ends.
class UpstreamFsm final : public UpstreamIo {
 public:
  explicit UpstreamFsm(Handshake handshake) : handshake_(std::move(handshake)) {}

  // --- For sessions. Only while usable().
  // `requests` holds `count` of them, whole ones.
  void send(ReplySink& sink, std::string_view requests, uint32_t count);
  void send_for(ReplyUse use, ReplySink& sink, std::string_view request);
  // Hands the text to the sink when everything sent so far has been answered. Something must be
  // outstanding.
  void answer_in_turn(ReplySink& sink, std::string text);
  // The sink goes away: what still comes for it is read and dropped.
  void abandon(const ReplySink& sink);
  // Ends the connection now; nobody gets anything more.
  void close();
  // Takes no more requests, and ends when all have been answered.
  void finish();

  [[nodiscard]] bool usable() const { return !closing_ && !finishing_; }
  // Is part of a reply with this sink whose rest is still to come?
  [[nodiscard]] bool delivers_to(const ReplySink& sink) const {
    return scanner_.inside_reply() && !pending_.empty() && pending_.front().sink == &sink;
  }
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  // The type byte of the last whole reply, 0 before the first.
  [[nodiscard]] char last_reply_type() const { return last_reply_type_; }
  [[nodiscard]] const ServerFacts& facts() const { return handshake_.facts(); }

  // --- For the shell.
  [[nodiscard]] std::string_view output() const override;
  void sent(size_t bytes) override;
  [[nodiscard]] bool wants_input() const override;
  void receive(std::string_view bytes) override;
  void lost() override;
  [[nodiscard]] bool must_close() const override { return closing_ || (finishing_ && idle()); }
  [[nodiscard]] bool ready() const override {
    return handshake_.status() == Handshake::Status::kDone;
  }

 private:
  // Requests of one session in a row, or a text that waits for its turn.
  struct Run {
    ReplySink* sink = nullptr;
    uint32_t count = 0;
    ReplyUse use = ReplyUse::kPass;
    std::unique_ptr<std::string> text;
  };

  size_t pass_replies(std::string_view bytes);
  size_t collect_reply(std::string_view bytes);
  void deliver_texts();
  void fail(std::string why);

  Handshake handshake_;
  ByteBuffer output_;
  RingQueue<Run> pending_;
  ReplyScanner scanner_;
  std::string collected_;
  char last_reply_type_ = 0;
  bool closing_ = false;
  bool finishing_ = false;
};

}  // namespace partywall::cache
