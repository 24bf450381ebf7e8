#include "cache/tenant_user.h"

#include <string_view>

#include "base/crypto.h"
#include "base/hex.h"

namespace partywall::cache {
namespace {

Secret derive(const Secret& key, std::string_view purpose, std::string_view subject) {
  std::string text(purpose);
  text += '\0';
  text += subject;
  return Secret(to_hex(as_bytes(hmac_sha256(key.reveal(), text))));
}

}  // namespace

std::string tenant_user(TenantId tenant) {
  return std::string(kTenantUserPrefix) + tenant.value().to_string();
}

Secret tenant_user_password(const Secret& cell_key, TenantId tenant) {
  return derive(cell_key, "partywall cache tenant user", tenant.value().to_string());
}

Secret subscriber_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache subscriber", "");
}

Secret replica_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache replica", "");
}

Secret sentinel_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache sentinel", "");
}

Secret keyspace_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache keyspace", "");
}

Secret index_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache index", "");
}

Secret watch_password(const Secret& cell_key) {
  return derive(cell_key, "partywall cache watch", "");
}

std::string channel_prefix(TenantId tenant) { return "tenant:" + tenant.value().to_string() + ":"; }

}  // namespace partywall::cache
