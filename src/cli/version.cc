#include "cli/version.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include "base/version.h"
#include "cli/exit_code.h"

namespace partywall::cli {

int print_version() {
  fmt::print("partywall {}\n{}\n", version(), OpenSSL_version(OPENSSL_VERSION));
  return kExitSuccess;
}

}  // namespace partywall::cli
