#include "cli/cache.h"

#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "base/private_file.h"
#include "cache/provision.h"
#include "cache/user_healer.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/platform_loader.h"

namespace partywall::cli {
namespace {

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

int cache_provision(const CacheProvisionOptions& options) {
  PlatformLoader platform(options.platform_file);
  const auto loaded = platform.load();
  if (!loaded) return kExitFailure;
  const Directory& directory = *loaded->directory;
  auto password = read_private_file(options.password_file);
  if (!password) return failed("cache provision", password.error());
  const cache::RedisAdministrator administrator{
      .user = options.administrator, .password = Secret(without_line_end(std::move(*password)))};
  std::set<std::string> done;
  for (const Cell& cell : directory.cells()) {
    if (!options.cell.empty() && cell.name != options.cell) continue;
    for (const CacheInstance& instance : cell.cache.instances) {
      std::string place = instance.endpoints.front().to_string();
      if (!instance.primary_name.empty()) place += ", " + instance.primary_name;
      if (!done.insert(place).second) continue;
      const std::vector<Tenant> tenants = cache::tenants_in(directory, instance);
      if (auto provisioned = cache::provision_redis(cell.cache, instance, administrator, tenants);
          !provisioned) {
        return failed("cache provision", provisioned.error());
      }
      fmt::print("cell {}: Redis at {} has the users of the door and of {} tenants\n", cell.name,
                 place, tenants.size());
    }
  }
  if (done.empty())
    return failed("cache provision",
                  {ErrorKind::kInvalid, "the platform file has no such cell with a cache"});
  return kExitSuccess;
}

}  // namespace partywall::cli
