#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"
#include "cache/ring_queue.h"

namespace partywall::cache {

// Requests that have been sent and not been answered, kept so that they can be sent elsewhere.
class SentRequests {
 public:
  // Whole requests in the array form.
  void add(std::string_view requests);
  [[nodiscard]] std::string_view front() const;
  void pop();

 private:
  ByteBuffer bytes_;
  RingQueue<size_t> lengths_;
};

}  // namespace partywall::cache
