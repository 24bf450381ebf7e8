#include "sql/register_token.h"

#include "base/crypto.h"

namespace partywall::sql {
namespace {

void append_big_endian(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

}  // namespace

std::string make_register_token(const RegisterTokenClaims& claims, uint32_t key_id,
                                const Secret& key) {
  const auto expiry =
      std::chrono::floor<std::chrono::seconds>(claims.expires_at).time_since_epoch().count();
  const auto& tenant = claims.tenant.value().bytes();
  std::string token;
  token.reserve(kRegisterTokenLength);
  append_big_endian(token, key_id, 4);
  token.append(reinterpret_cast<const char*>(tenant.data()), tenant.size());
  append_big_endian(token, static_cast<uint64_t>(expiry), 8);
  append_big_endian(token, claims.backend_pid, 4);
  const Sha256Digest mac = hmac_sha256(key.reveal(), token);
  return token.append(as_bytes(mac));
}

}  // namespace partywall::sql
