#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace partywall::http {

// The time as an IMF-fixdate (RFC 9110 section 5.6.7), formatted once a second.
class DateLine {
 public:
  std::string_view at(WallTime now);

 private:
  std::chrono::sys_seconds second_{seconds(-1)};
  std::string text_;
};

}  // namespace partywall::http
