#pragma once

#include <string>
#include <string_view>

#include "identity/sealing_key.h"

// Secrets as the control store keeps them: sealed with the node key, in base64. The purpose names
// the place ("context_key 1", "cell main sql.slots.password"), so that nobody who can write to the
// database can put one secret where another is expected.
namespace partywall::store {

[[nodiscard]] std::string seal_text(const SealingKey& key, std::string_view purpose,
                                    std::string_view plain, Random& random);
// kDenied
Result<Secret> open_text(const SealingKey& key, std::string_view purpose, std::string_view sealed);

}  // namespace partywall::store
