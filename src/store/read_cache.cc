#include <algorithm>

#include "store/file_keys.h"
#include "store/platform_sections.h"

// A cell's `cache`: where its Redis is, and how the door logs in there.
namespace partywall::store {
namespace {

void read_place(YamlMap& map, CacheInstance& instance, Need need) {
  Endpoint endpoint;
  if (read_endpoint(map, endpoint, 1, need)) instance.endpoints = {endpoint};
}

void read_instances(YamlMap& map, CacheBackend& cache) {
  map.list("instances",
           "several of them, for more tenants than one Redis holds, instead of an address",
           [&](YamlMap& inside) {
             CacheInstance instance;
             inside.required("name", instance.name, "what tenants name in `cache_instance`");
             if (std::ranges::find(cache.instances, instance.name, &CacheInstance::name) !=
                 cache.instances.end()) {
               inside.error("name", "there is an instance '{}' already", instance.name);
             }
             read_place(inside, instance, Need::kRequired);
             cache.instances.push_back(std::move(instance));
           });
}

void read_cache_logins(YamlMap& map, FileLoader& files, CacheBackend& cache) {
  map.required("door_user", cache.door_user,
               "Redis user of the door: it may authenticate and select a database");
  read_password_file(map, files, "door_password_file", cache.door_password, "its password");
  read_password_file(map, files, "tenant_password_file", cache.tenant_password,
                     "secret from which the password of each tenant's Redis user is derived");
  read_password_file(map, files, "previous_door_password_file", cache.previous_door_password,
                     "while it is rotated: `partywall cache provision` makes Redis take both",
                     Need::kOptional);
  read_password_file(map, files, "previous_tenant_password_file", cache.previous_tenant_password,
                     "the same for the tenants' users", Need::kOptional);
}

}  // namespace

void read_cache(YamlMap& map, FileLoader& files, CacheBackend& cache) {
  CacheInstance only{.name = "main"};
  const bool several = map.has("instances");
  if (map.describes() || !several)
    read_place(map, only, map.describes() ? Need::kOptional : Need::kRequired);
  read_instances(map, cache);
  if (!several && !map.describes()) cache.instances = {std::move(only)};
  read_cache_logins(map, files, cache);
}

}  // namespace partywall::store
