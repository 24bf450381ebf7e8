#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// RFC 4648: base64 with padding (section 4), base64url without (section 5). Decoding is strict:
// foreign characters, wrong padding and non-zero trailing bits are refused, so that one value has
// exactly one text.
namespace partywall {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

[[nodiscard]] std::string base64url_encode(std::string_view bytes);
[[nodiscard]] Result<std::string> base64url_decode(std::string_view text);

}  // namespace partywall
