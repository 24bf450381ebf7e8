#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace partywall::embedded {

// The secrets of an embedded stack: one file each, mode 0600, made when it is first asked for and
// the same ever after. The platform file names the files.
class SecretStore {
 public:
  SecretStore(std::string folder, Random& random) : folder_(std::move(folder)), random_(random) {}

  // 32 letters and digits: 190 bits.
  Result<Secret> password(std::string_view name);
  // `bytes` random bytes; in the file as hexadecimal digits.
  Result<Secret> key(std::string_view name, size_t bytes);

  [[nodiscard]] std::string path(std::string_view name) const {
    return fmt::format("{}/{}", folder_, name);
  }

 private:
  Result<Secret> read_or_make(std::string_view name, size_t length,
                              std::string (*make)(Random&, size_t));

  std::string folder_;
  Random& random_;
};

}  // namespace partywall::embedded
