#include "cache/prefix/key_prefix.h"

#include <fmt/format.h>

namespace partywall::cache {

std::string key_root(const CacheBackend& backend, const Tenant& tenant) {
  if (backend.mode == CacheMode::kDatabase) return {};
  const std::string tag =
      tenant.cache_tag.empty() ? tenant.id.value().to_string() : tenant.cache_tag;
  return tenant.cache_placement == CachePlacement::kTagged ? "tenant:{" + tag + "}"
                                                           : "tenant:" + tag;
}

std::string key_prefix(std::string_view root, uint32_t database) {
  return database == 0 ? fmt::format("{}:", root) : fmt::format("{}.{}:", root, database);
}

std::string key_prefix(const CacheBackend& backend, const Tenant& tenant, uint32_t database) {
  const std::string root = key_root(backend, tenant);
  return root.empty() ? root : key_prefix(root, database);
}

bool is_own_key(std::string_view key, std::string_view root) {
  if (!key.starts_with(root) || key.size() == root.size()) return false;
  return key[root.size()] == ':' || key[root.size()] == '.';
}

}  // namespace partywall::cache
