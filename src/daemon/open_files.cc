#include "daemon/open_files.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/log.h"

namespace partywall::daemon {
namespace {

constexpr uint64_t kFilesOfAClient = 2;  // its own, and one to what it talks to
constexpr uint32_t kLeastConnections = 16;

struct DoorLimits {
  const char* door;
  uint32_t* max_connections;
  uint32_t* max_tenant_connections;  // nullptr: the door has none
};

std::vector<DoorLimits> limits_of(store::NodeSettings& settings) {
  std::vector<DoorLimits> doors;
  if (settings.listen.http) doors.push_back({"http", &settings.http.max_connections, nullptr});
  if (settings.listen.sql) {
    doors.push_back({"sql", &settings.sql.max_connections, &settings.sql.max_tenant_connections});
  }
  if (settings.listen.cache) {
    doors.push_back(
        {"cache", &settings.cache.max_connections, &settings.cache.max_tenant_connections});
  }
  return doors;
}

}  // namespace

uint64_t raise_open_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const rlim_t before = std::exchange(files.rlim_cur, files.rlim_max);
  return setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : before;
}

std::vector<std::string> fit_to_open_files(store::NodeSettings& settings, unsigned workers,
                                           uint64_t limit) {
  const std::vector<DoorLimits> doors = limits_of(settings);
  uint64_t wanted = 0;
  for (const DoorLimits& door : doors) wanted += *door.max_connections;
  wanted *= kFilesOfAClient * workers;
  const uint64_t granted = limit - limit / 8;
  std::vector<std::string> lowered;
  if (wanted <= granted) return lowered;
  const double share = static_cast<double>(granted) / static_cast<double>(wanted);
  for (const DoorLimits& door : doors) {
    const auto fitting =
        std::max(kLeastConnections,
                 static_cast<uint32_t>(share * static_cast<double>(*door.max_connections)));
    lowered.push_back(fmt::format("doors.{}.max_connections: {} instead of {}", door.door, fitting,
                                  *door.max_connections));
    *door.max_connections = fitting;
    if (door.max_tenant_connections) {
      *door.max_tenant_connections = std::min(
          *door.max_tenant_connections, std::max(kLeastConnections / 4, fitting * workers / 4));
    }
  }
  return lowered;
}

}  // namespace partywall::daemon
