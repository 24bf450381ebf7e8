#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "store/control/usage.h"

namespace partywall::store {

// Intervals that the control store does not have yet, the oldest first: files of a folder, which
// the next process finds, or in memory. Not thread-safe; a folder belongs to one process at a time.
class UsageSpool {
 public:
  // In memory the last ones only.
  static constexpr size_t kMostInMemory = 60;

  // An empty `folder`: all wait in memory. Makes the folder (mode 0700) and takes over what is
  // there.
  static Result<UsageSpool> open(const std::string& folder);

  // One that cannot be written waits in memory, and the failure is returned.
  Result<> put(UsageReport report);

  // The oldest one, to be sent; it stays until it is removed. A file that cannot be read as an
  // interval is put aside under a name that ends with ".broken", and counts as lost.
  std::optional<UsageReport> first();
  // Removes what first() gave.
  void remove_first();

  // Drops those that ended before.
  void drop_before(WallTime time);

  [[nodiscard]] size_t size() const { return waiting_.size(); }
  // Dropped or unreadable, since it was opened.
  [[nodiscard]] uint64_t lost() const { return lost_; }

 private:
  struct Waiting {
    WallTime ended;
    std::string file;                   // path; empty: it is here
    std::optional<UsageReport> report;  // without a file
  };

  explicit UsageSpool(std::string folder) : folder_(std::move(folder)) {}
  void lose_first();

  std::string folder_;
  std::deque<Waiting> waiting_;
  size_t in_memory_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace partywall::store
