#include "migrate/apply/stream_names.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/hex.h"

namespace partywall::migrate {

std::string stream_name(const Uuid& tenant, const DatabaseIdentity& target) {
  std::string digits = tenant.to_string();
  std::erase(digits, '-');
  const std::string to = to_hex(as_bytes(sha256(target.system + "/" + target.oid))).substr(0, 10);
  return "partywall_" + digits + "_" + to;
}

}  // namespace partywall::migrate
