#pragma once

#include <utility>

#include "base/log.h"
#include "cache/handshake.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// A connection to Redis for one thing that the door has to do as itself: all of it is in the
// handshake. It ends with the answer, whatever that is.
class ErrandFsm final : public UpstreamIo {
 public:
  explicit ErrandFsm(Handshake handshake) : handshake_(std::move(handshake)) {}

  [[nodiscard]] std::string_view output() const override { return handshake_.output(); }
  void sent(size_t bytes) override { handshake_.sent(bytes); }
  [[nodiscard]] bool wants_input() const override { return !must_close(); }
  void receive(std::string_view bytes) override {
    if (handshake_.receive(bytes) == Handshake::Status::kRefused)
      log_warning("the cache door was refused something", {{"reason", handshake_.problem()}});
  }
  void lost() override {}
  [[nodiscard]] bool must_close() const override {
    return handshake_.status() != Handshake::Status::kPending;
  }
  [[nodiscard]] bool ready() const override {
    return handshake_.status() == Handshake::Status::kDone;
  }

 private:
  Handshake handshake_;
};

}  // namespace partywall::cache
