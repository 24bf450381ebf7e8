#include "cache/prefix/key_prefix.h"

namespace partywall::cache {

std::string key_prefix(const CacheBackend& backend, const Tenant& tenant) {
  if (backend.mode == CacheMode::kDatabase) return {};
  const std::string tag =
      tenant.cache_tag.empty() ? tenant.id.value().to_string() : tenant.cache_tag;
  return tenant.cache_placement == CachePlacement::kTagged ? "tenant:{" + tag + "}:"
                                                           : "tenant:" + tag + ":";
}

}  // namespace partywall::cache
