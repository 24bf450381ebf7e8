#pragma once

#include <string>

#include "cli/remote.h"

namespace partywall::cli {

struct UsageRequest {
  std::string tenant;  // slug or id
  std::string from;    // RFC 3339; empty: a day before `to`
  std::string to;      // empty: now
  std::string by;      // hour or day; empty: hour
};

// `partywall usage TENANT`: what it used, with the times for which counts are missing.
int show_usage(const RemoteOptions& options, const UsageRequest& request);

}  // namespace partywall::cli
