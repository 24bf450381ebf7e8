#include "store/control/sealed_text.h"

#include "base/base64.h"

namespace partywall::store {

std::string seal_text(const SealingKey& key, std::string_view purpose, std::string_view plain,
                      Random& random) {
  return base64_encode(key.seal(purpose, plain, random));
}

Result<Secret> open_text(const SealingKey& key, std::string_view purpose, std::string_view sealed) {
  const auto bytes = base64_decode(sealed);
  if (!bytes) return fail(ErrorKind::kDenied, "what is sealed as '{}' was changed", purpose);
  return key.open(purpose, *bytes);
}

}  // namespace partywall::store
