#pragma once

#include <cstddef>
#include <string_view>

#include "cache/waker.h"

namespace partywall::cache {

// A connection to Redis as the shell sees it that moves its bytes.
class UpstreamIo {
 public:
  UpstreamIo() = default;
  UpstreamIo(const UpstreamIo&) = delete;
  UpstreamIo& operator=(const UpstreamIo&) = delete;
  virtual ~UpstreamIo() = default;

  // First of all after each wake.
  virtual void turn() {}
  [[nodiscard]] virtual std::string_view output() const = 0;
  virtual void sent(size_t bytes) = 0;
  // False while nobody can take more replies.
  [[nodiscard]] virtual bool wants_input() const = 0;
  virtual void receive(std::string_view bytes) = 0;
  // The connection has ended, or could not be opened. Last call.
  virtual void lost() = 0;
  // True when the shell is to close the connection.
  [[nodiscard]] virtual bool must_close() const = 0;
  // The opening exchange is over.
  [[nodiscard]] virtual bool ready() const = 0;

  // Whom to wake when there is something to write or to close; nullptr: nobody.
  void set_waker(Waker* waker) { waker_ = waker; }
  void wake() {
    if (waker_ != nullptr) waker_->wake();
  }

 private:
  Waker* waker_ = nullptr;
};

}  // namespace partywall::cache
