#include "cli/cache.h"

#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "base/private_file.h"
#include "cache/provision.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"

namespace partywall::cli {
namespace {

int failed(std::string_view message) {
  fmt::print(stderr, "partywall cache provision: {}\n", message);
  return kExitFailure;
}

// Several cells may be on one Redis, with databases of their own.
std::vector<Tenant> tenants_on(const Directory& directory, const CacheInstance& instance) {
  std::vector<Tenant> tenants;
  for (const Tenant& tenant : directory.tenants()) {
    const Cell* cell = directory.find_cell(tenant.cell);
    const CacheInstance* home = cell->cache.find_instance(tenant.cache_instance);
    if (home != nullptr && home->endpoints == instance.endpoints &&
        tenant.status != TenantStatus::kErased) {
      tenants.push_back(tenant);
    }
  }
  return tenants;
}

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
  if (!password) return failed(password.error().message);
  const cache::RedisAdministrator administrator{
      .user = options.administrator, .password = Secret(without_line_end(std::move(*password)))};
  std::set<std::string> done;
  for (const Cell& cell : directory.cells()) {
    if (!options.cell.empty() && cell.name != options.cell) continue;
    for (const CacheInstance& instance : cell.cache.instances) {
      const std::string place = instance.endpoints.front().to_string();
      if (!done.insert(place).second) continue;
      const std::vector<Tenant> tenants = tenants_on(directory, instance);
      if (auto provisioned = cache::provision_redis(cell.cache, instance, administrator, tenants);
          !provisioned) {
        return failed(provisioned.error().message);
      }
      fmt::print("cell {}: Redis at {} has the users of the door and of {} tenants\n", cell.name,
                 place, tenants.size());
    }
  }
  if (done.empty()) return failed("the platform file has no such cell with a cache");
  return kExitSuccess;
}

}  // namespace partywall::cli
