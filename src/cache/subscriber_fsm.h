#pragma once

#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "cache/handshake.h"
#include "cache/push_frame.h"
#include "cache/resp/reply_scanner.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// Who is subscribed. It must not send anything from within these calls.
class SubscriberSink {
 public:
  virtual ~SubscriberSink() = default;
  virtual void deliver(const PushFrame& frame) = 0;
  // The connection has ended, and with it every subscription.
  virtual void subscriber_lost() = 0;
  [[nodiscard]] virtual bool congested() const = 0;
};

// The connection to Redis that carries one session's subscriptions, logged in as a user that may do
// nothing else. Every frame that arrives is checked to be of the tenant before it is passed on.
class SubscriberFsm final : public UpstreamIo {
 public:
  // `sink` must stay until detach() or subscriber_lost().
  SubscriberFsm(Handshake handshake, ChannelNames names, SubscriberSink& sink)
      : handshake_(std::move(handshake)), names_(std::move(names)), sink_(&sink) {}

  // One request, its channels by the names that Redis knows.
  void send(std::string_view request);
  // Ends the connection; the sink hears nothing more.
  void detach();
  [[nodiscard]] bool usable() const { return !closing_; }

  // --- For the shell.
  [[nodiscard]] std::string_view output() const override;
  void sent(size_t bytes) override;
  [[nodiscard]] bool wants_input() const override {
    return sink_ == nullptr || !sink_->congested();
  }
  void receive(std::string_view bytes) override;
  void lost() override;
  [[nodiscard]] bool must_close() const override { return closing_; }
  [[nodiscard]] bool ready() const override {
    return handshake_.status() == Handshake::Status::kDone;
  }

 private:
  void fail(std::string_view why);

  Handshake handshake_;
  ChannelNames names_;
  SubscriberSink* sink_;
  ByteBuffer output_;
  ReplyScanner scanner_;
  std::string frame_;  // as far as it has arrived
  bool closing_ = false;
};

}  // namespace partywall::cache
