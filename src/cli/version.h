#pragma once

#include <string_view>

namespace partywall::cli {

// Prints the version of this binary and of the libraries it runs with.
int print_version();
// "0.1.0"
std::string_view release();

}  // namespace partywall::cli
