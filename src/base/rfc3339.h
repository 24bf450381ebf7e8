#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

// Times as people and programs exchange them: RFC 3339 in UTC.
namespace partywall {

// "2026-11-25T22:18:02Z"; with ".250" only if there are milliseconds.
[[nodiscard]] std::string format_rfc3339(WallTime time);

// The same form, with or without milliseconds; other offsets than Z are refused, and so are days
// that do not exist. Years 1970 to 9999.
[[nodiscard]] Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace partywall
