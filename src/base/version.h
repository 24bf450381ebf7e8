#pragma once

#include <string_view>

namespace partywall {

// Of this binary: "0.1.0".
[[nodiscard]] std::string_view version();

}  // namespace partywall
