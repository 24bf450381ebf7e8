#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/random.h"
#include "sql/wire/startup.h"

namespace partywall::sql {

// A session that can be told to stop what it does.
class CancelTarget {
 public:
  virtual ~CancelTarget() = default;
  virtual void cancel_statement() = 0;
};

// The keys that the clients of one worker were given (BackendKeyData). The "pid" of a key says
// which worker has its session.
class CancelKeys {
 public:
  CancelKeys(unsigned worker_index, Random& random)
      : worker_index_(worker_index), random_(random) {}

  CancelRequest add(CancelTarget& target);
  void remove(const CancelRequest& key);
  // Tells the session, if the whole key is right.
  void cancel(const CancelRequest& key);

  [[nodiscard]] static unsigned worker_of(const CancelRequest& key) {
    return key.pid >> kSessionBits;
  }

 private:
  static constexpr unsigned kSessionBits = 24;  // 16 million sessions on each of 128 workers

  struct Entry {
    uint32_t secret = 0;
    CancelTarget* target = nullptr;
  };
  unsigned worker_index_;
  Random& random_;
  uint32_t last_ = 0;
  std::unordered_map<uint32_t, Entry> entries_;  // by pid
};

}  // namespace partywall::sql
