#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/time.h"
#include "policy/gcra.h"
#include "sql/slow/slow_statement.h"
#include "tenancy/tenant.h"

namespace partywall::sql {

// Writes slow statements to the log, without their constants, on a thread of its own that begins
// with the first one. A tenant whose statements are all slow neither fills the queue nor the log:
// what is more than a few a second of one tenant is dropped, and counted.
class SlowLog {
 public:
  struct Entry {
    TenantNumber number;
    std::string tenant;  // its slug
    std::string cell;
    SlowStatement statement;
  };
  using Write = std::function<void(const Entry&, const std::string& text)>;

  SlowLog();  // to the log of the process
  explicit SlowLog(Write write) : write_(std::move(write)) {}
  ~SlowLog() { stop(); }
  SlowLog(const SlowLog&) = delete;
  SlowLog& operator=(const SlowLog&) = delete;

  // From any thread. False: it was dropped.
  bool submit(Entry entry, MonotonicTime now);
  // Writes what waits, then ends. Idempotent.
  void stop();
  [[nodiscard]] uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  bool admit(const Entry& entry, MonotonicTime now);
  void run();

  Write write_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> waiting_;
  std::unordered_map<TenantNumber, Gcra> rates_;
  std::atomic<uint64_t> dropped_{0};
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace partywall::sql
