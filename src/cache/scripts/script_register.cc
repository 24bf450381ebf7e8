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

bool ScriptRegister::knows(TenantId tenant, const Sha1Digest& script) const {
  const Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  return entry != part.tenants.end() && entry->second.known.contains(script);
}

bool ScriptRegister::has_room(TenantId tenant, size_t bytes) const {
  const Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  if (entry == part.tenants.end()) return bytes <= limits_.max_bytes;
  return entry->second.scripts < limits_.max_scripts &&
         bytes <= limits_.max_bytes - std::min(limits_.max_bytes, entry->second.bytes);
}

void ScriptRegister::add(TenantId tenant, const Sha1Digest& script, size_t bytes) {
  Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  Entry& entry = part.tenants[tenant];
  if (!entry.known.insert(script).second) return;
  ++entry.scripts;
  entry.bytes += bytes;
}

void ScriptRegister::forget(TenantId tenant) {
  Part& part = part_of(tenant);
  const std::lock_guard lock(part.mutex);
  const auto entry = part.tenants.find(tenant);
  if (entry != part.tenants.end()) entry->second.known.clear();
}

std::optional<Sha1Digest> parse_script_name(std::string_view text) {
  Sha1Digest digest;
  const auto bytes = text.size() == 2 * digest.size() ? decode_hex(text) : std::nullopt;
  if (!bytes) return std::nullopt;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

}  // namespace partywall::cache
