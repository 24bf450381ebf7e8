#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cache/resp/reply_tree.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// A command of a tenant's that took long, by Redis's own clock.
struct TimeUse {
  TenantId tenant;
  Duration took{};
};

// Follows the slow log of one Redis: each entry is read once, whatever connection was lost
// meanwhile. Connections of tenants have their names in it; what runs within a script has none, so
// it is not counted twice.
class SlowLogReader {
 public:
  // What ended before `began` is history.
  explicit SlowLogReader(WallTime began) : began_(began) {}

  // So many are kept by Redis (provisioning sees to that).
  static constexpr uint32_t kKept = 1'024;

  [[nodiscard]] std::string question() const;
  // What is new in the answer; nothing: it is none, or it shows that there is more.
  std::optional<std::vector<TimeUse>> take(const ReplyTree& answer);
  // The last answer showed so: ask again at once.
  [[nodiscard]] bool wants_more() const { return count_ == kKept; }

 private:
  static constexpr uint32_t kUsually = 64;

  WallTime began_;
  uint32_t count_ = kUsually;  // to ask for
  bool asked_ = false;         // the log has been read
  int64_t last_ = -1;          // entry
};

}  // namespace partywall::cache
