#pragma once

#include <span>
#include <string>
#include <string_view>

#include "store/control/usage.h"

// How intervals are written down: one JSON object, in files and towards the control store.
namespace partywall::store {

// [{"tenant": "<uuid>", "http_requests": 3, …}, …]; what is 0 is left out.
[[nodiscard]] std::string write_usage_counts(std::span<const UsageInterval::OfTenant> tenants);

[[nodiscard]] std::string write_usage_report(const UsageReport& report);
// Meters that this release does not know are left out: a newer one may have written the file.
Result<UsageReport> read_usage_report(std::string_view text);

}  // namespace partywall::store
