#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace partywall::fleet {

// Names one process for good. A process id alone does not: the kernel gives it out again. Together
// with its start time and the boot it is unique, so that nobody else's process is ever signalled.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // clock ticks since boot, field 22 of /proc/<pid>/stat (proc(5))
  std::string boot_id{};

  bool operator==(const ProcessIdentity&) const = default;
};

// Nothing if there is no such process, or only its zombie.
std::optional<ProcessIdentity> identify_process(pid_t pid);

// Is this very process still running?
[[nodiscard]] bool is_running(const ProcessIdentity& identity);

struct ProcessStat {
  char state = '?';
  pid_t session = 0;
  uint64_t processor_ticks = 0;  // user and system time, in clock ticks
  uint64_t start_ticks = 0;
  uint64_t resident_pages = 0;
};

// Reads the content of /proc/<pid>/stat; the process name in it may hold anything.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace partywall::fleet
