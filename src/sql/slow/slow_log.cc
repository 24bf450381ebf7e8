#include "sql/slow/slow_log.h"

#include "base/log.h"
#include "sql/slow/normalise.h"

namespace partywall::sql {
namespace {

constexpr size_t kMaxWaiting = 1'000;
constexpr RateLimit kOfOneTenant{.tokens = 10, .period = seconds(1), .burst = 50};

void write_to_log(const SlowLog::Entry& entry, const std::string& text) {
  const SlowStatement& statement = entry.statement;
  log_info("slow statement",
           {{"tenant", entry.tenant},
            {"cell", entry.cell},
            {"duration_ms", std::chrono::duration_cast<milliseconds>(statement.took).count()},
            {"rows", statement.rows},
            {"statements", statement.statements},
            {"outcome", statement.failed ? "failed" : "done"},
            {"statement", text}});
}

}  // namespace

SlowLog::SlowLog() : SlowLog(write_to_log) {}

bool SlowLog::submit(Entry entry, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return false;
  if (waiting_.size() >= kMaxWaiting || !admit(entry, now)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  waiting_.push_back(std::move(entry));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
  return true;
}

bool SlowLog::admit(const Entry& entry, MonotonicTime now) {
  return rates_[entry.number].admit(kOfOneTenant, now).admitted;
}

void SlowLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void SlowLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopped_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Entry next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    write_(next, without_constants(next.statement.text, next.statement.syntax));
    lock.lock();
  }
}

}  // namespace partywall::sql
