#pragma once

namespace partywall::cli {

// Prints the version of this binary and of the libraries it runs with.
int print_version();

}  // namespace partywall::cli
