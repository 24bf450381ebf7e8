#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/resp/reply_scanner.h"
#include "cache/server_facts.h"

namespace partywall::cache {

// The first exchange on a connection to Redis: its requests, and the check that every one of them
// was answered without an error. Until that is known nothing else may be sent: had only SELECT
// failed, the tenant's commands would run in another database.
class Handshake {
 public:
  enum class Status { kPending, kDone, kRefused };
  enum class Refusal {
    kNone,
    kLogin,       // a user or its password
    kNotPrimary,  // ROLE says so
    kOther,
  };

  Handshake() = default;
  // `role_step`: which reply is that to ROLE, and must be a primary's; 0: none.
  Handshake(std::string requests, uint32_t replies, uint32_t role_step = 0)
      : output_(std::move(requests)), replies_left_(replies), role_step_(role_step) {}

  [[nodiscard]] std::string_view output() const { return std::string_view(output_).substr(sent_); }
  void sent(size_t bytes);

  // Takes the answer; everything must belong to it, because nothing else has been asked.
  Status receive(std::string_view bytes);
  [[nodiscard]] Status status() const { return status_; }
  // After kRefused: which step (1 is the first) and what Redis said.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  [[nodiscard]] const ServerFacts& facts() const { return facts_; }

 private:
  Status refuse(Refusal why, std::string_view what);

  std::string output_;
  size_t sent_ = 0;
  uint32_t replies_left_ = 0;
  uint32_t role_step_ = 0;
  uint32_t step_ = 1;
  Status status_ = Status::kPending;
  ReplyScanner scanner_;
  std::string reply_;
  std::string problem_;
  Refusal refusal_ = Refusal::kNone;
  ServerFacts facts_;
};

}  // namespace partywall::cache
