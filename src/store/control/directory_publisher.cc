#include "store/control/directory_publisher.h"

#include <algorithm>

#include "store/provided_instances.h"

namespace partywall::store {
namespace {

void close(DirectoryData& data) {
  for (Tenant& tenant : data.tenants) tenant.status = TenantStatus::kSuspended;
  // What belongs to no tenant reaches tables without one: it is closed as well.
  std::erase_if(data.sql_logins, [](const SqlLogin& login) { return !login.tenant; });
  std::erase_if(data.cache_logins, [](const CacheLogin& login) { return !login.tenant; });
}

}  // namespace

Result<DirectoryRef> DirectoryPublisher::first(const DirectoryImage& image, Service service) {
  auto data = image.directory_data();
  if (!data) return std::unexpected(data.error());
  return build(*std::move(data), service, std::max<uint64_t>(1, image.version().version));
}

Result<> DirectoryPublisher::publish(const DirectoryImage& image, Service service,
                                     DirectoryFeed& feed) {
  auto data = image.directory_data();
  if (!data) return std::unexpected(data.error());
  return feed.update([&](const DirectoryRef& current) {
    keep_provided_instances(*current, data->cells);
    return build(*std::move(data), service,
                 std::max(current->version() + 1, image.version().version));
  });
}

Result<DirectoryRef> DirectoryPublisher::build(DirectoryData data, Service service,
                                               uint64_t version) {
  if (service == Service::kClosed) close(data);
  data.version = version;
  numbers_.assign(data.tenants);
  return Directory::build(std::move(data));
}

}  // namespace partywall::store
