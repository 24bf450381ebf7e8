#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "migrate/convert/rules.h"

namespace partywall::cli {

// The file that `--rules` names; without one there are no exceptions. Nothing if it cannot be used:
// what is wrong was printed.
std::optional<migrate::ConversionRules> load_conversion_rules(const std::string& file);

// On standard error; false if one is an error.
bool print_diagnostics(const Diagnostics& diagnostics, const std::string& file);

}  // namespace partywall::cli
