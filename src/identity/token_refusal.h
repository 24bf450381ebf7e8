// What reading any token shares: how it is refused, and bounds that hold for tokens and the keys
// they name alike.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"

namespace partywall {

inline constexpr size_t kMaxKeyIdLength =
    256;  // bytes of a kid, in a token's header and in a key set

inline std::unexpected<Error> denied(std::string message) {
  return fail(ErrorKind::kDenied, std::move(message));
}

}  // namespace partywall
