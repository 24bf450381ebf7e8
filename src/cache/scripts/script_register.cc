#include "cache/scripts/script_register.h"

#include <algorithm>
#include <cstring>

#include "base/hex.h"

namespace partywall::cache {

size_t ScriptRegister::FirstBytes::operator()(const Sha1Digest& digest) const {
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

std::optional<Sha1Digest> ScriptRegister::find(TenantId tenant, const Sha1Digest& script) const {
  return look_up(tenant, &Entry::known, script);
}

std::optional<Sha1Digest> ScriptRegister::find_original(TenantId tenant,
                                                        const Sha1Digest& in_redis) const {
  return look_up(tenant, &Entry::originals, in_redis);
}

std::optional<Sha1Digest> ScriptRegister::look_up(TenantId tenant, Names Entry::* names,
                                                  const Sha1Digest& name) const {
  const Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  if (entry == part.tenants.end()) return std::nullopt;
  const Names& those = entry->second.*names;
  const auto other = those.find(name);
  if (other == those.end()) return std::nullopt;
  return other->second;
}

bool ScriptRegister::has_room(TenantId tenant, size_t bytes) const {
  const Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  if (entry == part.tenants.end()) return bytes <= limits_.max_bytes;
  return entry->second.scripts < limits_.max_scripts &&
         bytes <= limits_.max_bytes - std::min(limits_.max_bytes, entry->second.bytes);
}

void ScriptRegister::add(TenantId tenant, const Sha1Digest& script, const Sha1Digest& in_redis,
                         size_t bytes) {
  Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  Entry& entry = part.tenants[tenant];
  if (!entry.known.emplace(script, in_redis).second) return;
  entry.originals.emplace(in_redis, script);
  ++entry.scripts;
  entry.bytes += bytes;
}

void ScriptRegister::forget(TenantId tenant) {
  Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  if (entry == part.tenants.end()) return;
  entry->second.known.clear();
  entry->second.originals.clear();
}

std::optional<Sha1Digest> parse_script_name(std::string_view text) {
  Sha1Digest digest;
  const auto bytes = text.size() == 2 * digest.size() ? decode_hex(text) : std::nullopt;
  if (!bytes) return std::nullopt;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

std::string script_name(const Sha1Digest& digest) {
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace partywall::cache
