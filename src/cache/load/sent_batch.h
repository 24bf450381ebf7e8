#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/commands/key_layout.h"

namespace partywall::cache {

// What a session has sent since the last moment at which nothing was unanswered, so that the end of
// it can be sent again where Redis has refused it. Kept only as far as it is small.
class SentBatch {
 public:
  // Nothing is unanswered; so many answers have come since the session began.
  void begin(uint64_t answered) {
    clear();
    began_at_ = answered;
  }
  // `reply_keys`: of a single request, in prefix mode.
  void add(std::string_view requests, uint32_t count, ReplyKeys reply_keys = ReplyKeys::kNone);
  void clear();

  // Is everything there that has been sent since begin()?
  [[nodiscard]] bool is_whole(uint64_t answered, uint32_t unanswered) const {
    return count_ > 0 && count_ == answered - began_at_ + unanswered;
  }
  struct Sent {
    std::string_view request;
    ReplyKeys reply_keys = ReplyKeys::kNone;
  };
  // The last ones, so many of them.
  [[nodiscard]] std::vector<Sent> last(uint32_t count) const;

 private:
  static constexpr size_t kMostBytes = 16UL << 10;
  static constexpr size_t kKeptCapacity = 4UL << 10;  // of an idle client

  std::string bytes_;
  std::vector<std::pair<uint64_t, ReplyKeys>> reply_keys_;  // of which one; those that have some
  uint64_t count_ = 0;
  uint64_t began_at_ = 0;
};

}  // namespace partywall::cache
