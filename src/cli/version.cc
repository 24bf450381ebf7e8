#include "cli/version.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include "cli/exit_code.h"

namespace partywall::cli {

std::string_view release() { return PARTYWALL_VERSION; }

int print_version() {
  fmt::print("partywall {}\n{}\n", PARTYWALL_VERSION, OpenSSL_version(OPENSSL_VERSION));
  return kExitSuccess;
}

}  // namespace partywall::cli
