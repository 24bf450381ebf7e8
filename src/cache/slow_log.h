#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// The beginning of a request, kept until it is known whether it took long.
class RequestExcerpt {
 public:
  void keep(std::string_view request);
  // Its arguments, as far as they are here, as Redis's slow log would show them.
  [[nodiscard]] std::vector<std::string> arguments() const;

 private:
  std::array<char, 256> bytes_;
  size_t kept_ = 0;
};

struct SlowCommand {
  uint64_t id = 0;
  WallTime at{};
  Duration took{};
  std::vector<std::string> arguments;
  std::string client_address;
  std::string client_name;
};

// The slow commands of each tenant, as the door saw them: from sending a command to its answer, so
// what other tenants made it wait is in it. Shared by all workers, from any thread.
class SlowLog {
 public:
  static constexpr Duration kThreshold = milliseconds(10);  // Redis's own default
  static constexpr size_t kMaxEntries = 128;                // of one tenant; likewise

  void add(TenantId tenant, SlowCommand command);
  // The latest first; nothing: all of them.
  [[nodiscard]] std::vector<SlowCommand> latest(TenantId tenant, std::optional<size_t> count) const;
  [[nodiscard]] size_t size(TenantId tenant) const;
  void clear(TenantId tenant);

 private:
  struct Entry {
    uint64_t next_id = 0;
    std::deque<SlowCommand> commands;
  };

  mutable std::mutex mutex_;
  std::unordered_map<TenantId, Entry> tenants_;
};

}  // namespace partywall::cache
