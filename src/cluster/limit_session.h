#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/byte_buffer.h"
#include "cluster/limit_calls.h"
#include "cluster/limit_login.h"
#include "engines/redis_reader.h"
#include "policy/store_return.h"

namespace partywall {

// One connection to the limits store, without a socket: it logs in, loads the scripts, says that
// the node lives, and carries the calls of the book. Answers come in the order of the requests.
class LimitSession {
 public:
  // `book` and `comeback` outlive it, and belong to the same thread.
  LimitSession(const LimitLogin& login, LeaseBook& book, StoreReturn& comeback,
               SharedLimits& shared, MonotonicTime now);
  LimitSession(const LimitSession&) = delete;
  LimitSession& operator=(const LimitSession&) = delete;

  void receive(std::string_view bytes, MonotonicTime now);
  // Writes what is due; to be called whenever time has passed or something was asked.
  void run(MonotonicTime now);

  [[nodiscard]] std::string_view output() const { return output_.view(); }
  void sent(size_t bytes) { output_.consume(bytes); }
  // The connection is gone: whatever was asked is void.
  void closed(MonotonicTime now);
  // Set: the connection is of no use any more.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // By then run() must be called again.
  [[nodiscard]] MonotonicTime deadline(MonotonicTime now) const;

 private:
  enum class Expected : uint8_t { kLogin, kScript, kBeat, kCall };
  struct Unanswered {
    Expected what = Expected::kCall;
    MonotonicTime sent{};
    uint64_t ticket = 0;  // of the call; the number of the script
    LimitKind kind = LimitKind::kHttpRate;
  };

  void request(std::span<const std::string> words, const Unanswered& unanswered);
  void load_scripts(MonotonicTime now);
  void take(const redis::Reply& reply, MonotonicTime now);
  void take_error(const Unanswered& unanswered, const redis::Reply& reply, MonotonicTime now);
  Result<> take_beat(const Unanswered& unanswered, const redis::Reply& reply);
  Result<> take_call(const Unanswered& unanswered, const redis::Reply& reply, MonotonicTime now);

  LimitLogin login_;
  LeaseBook& book_;
  StoreReturn& comeback_;
  SharedLimits& shared_;
  redis::ReplyReader reader_;
  ByteBuffer output_;
  std::deque<Unanswered> unanswered_;
  ScriptDigests digests_;
  size_t scripts_missing_ = 0;
  MonotonicTime next_tick_{};
  std::optional<Error> failure_;
};

}  // namespace partywall
