#include "fleet/process/session_use.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "fleet/process/process_identity.h"

namespace partywall::fleet {

void add_session_use(std::map<pid_t, ResourceUse>& sessions) {
  if (sessions.empty()) return;
  static const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  static const long page_bytes = ::sysconf(_SC_PAGESIZE);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    if (!std::ranges::all_of(entry.path().filename().string(), is_digit)) continue;
    std::ifstream file(entry.path() / "stat");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto stat = parse_process_stat(text);
    if (!stat) continue;
    const auto session = sessions.find(stat->session);
    if (session == sessions.end()) continue;
    session->second.processor_time +=
        Duration(seconds(1)) * static_cast<int64_t>(stat->processor_ticks) / ticks_per_second;
    session->second.memory_bytes += stat->resident_pages * static_cast<uint64_t>(page_bytes);
  }
}

}  // namespace partywall::fleet
