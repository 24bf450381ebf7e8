#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "migrate/apply/stream_table.h"
#include "migrate/convert/rules.h"

namespace partywall::cli {

// The file that `--rules` names; without one there are no exceptions. Nothing if it cannot be used:
// what is wrong was printed.
std::optional<migrate::ConversionRules> load_conversion_rules(const std::string& file);

// On standard error; false if one is an error.
bool print_diagnostics(const Diagnostics& diagnostics, const std::string& file);

// Tables that a conversion leaves where they are, and those that belong to no tenant: their changes
// are not followed.
[[nodiscard]] migrate::TableNames tables_left_out(const migrate::ConversionRules& rules);

}  // namespace partywall::cli
