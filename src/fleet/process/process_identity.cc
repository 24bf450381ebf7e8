#include "fleet/process/process_identity.h"

#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace partywall::fleet {
namespace {

std::string read_whole_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string read_boot_id() {
  std::string text = read_whole_file("/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

const std::string& boot_id() {
  static const std::string id = read_boot_id();
  return id;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The fields that are looked at, by their numbers in proc(5).
  constexpr int kSession = 6, kUserTime = 14, kSystemTime = 15, kStartTime = 22, kResident = 24;
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || text.size() < name_end + 3) return std::nullopt;
  std::string_view rest = text.substr(name_end + 2);
  ProcessStat stat{.state = rest.front()};
  uint64_t user_time = 0, system_time = 0;
  const auto read = [&](auto& value) {
    return std::from_chars(rest.data(), rest.data() + rest.size(), value).ec == std::errc();
  };
  for (int field = 4; field <= kResident; ++field) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
    const bool is_read = field == kSession      ? read(stat.session)
                         : field == kUserTime   ? read(user_time)
                         : field == kSystemTime ? read(system_time)
                         : field == kStartTime  ? read(stat.start_ticks)
                         : field == kResident   ? read(stat.resident_pages)
                                                : true;
    if (!is_read) return std::nullopt;
  }
  stat.processor_ticks = user_time + system_time;
  return stat;
}

std::optional<ProcessIdentity> identify_process(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const auto stat = parse_process_stat(read_whole_file(fmt::format("/proc/{}/stat", pid)));
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return ProcessIdentity{.pid = pid, .start_ticks = stat->start_ticks, .boot_id = boot_id()};
}

bool is_running(const ProcessIdentity& identity) {
  return identify_process(identity.pid) == identity;
}

}  // namespace partywall::fleet
