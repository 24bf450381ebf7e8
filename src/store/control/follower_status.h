#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace partywall::store {

// What a node knows about where its directory comes from: for /readyz and metrics.
struct DirectorySourceStatus {
  uint64_t version = 0;  // of the control store
  bool is_connected = false;
  bool is_closed = false;  // older than allowed: no tenant is served
  Duration age{};          // since the store was last seen to have nothing newer
  std::string problem;     // what keeps it from being up to date; empty: nothing
};

class DirectorySource {
 public:
  virtual ~DirectorySource() = default;
  // Thread-safe.
  [[nodiscard]] virtual DirectorySourceStatus status() const = 0;
};

}  // namespace partywall::store
