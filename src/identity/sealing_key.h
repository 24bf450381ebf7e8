#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace partywall {

// The node key: what is sealed with it can be read and changed only by whoever has it. The control
// store keeps secrets sealed, so that neither the database, its backups nor its logs have them.
//
// A seal is "s1" + 16 random bytes + AES-256-GCM (NIST SP 800-38D) of the plaintext, under a key
// made for this seal alone: HMAC-SHA256(node key, "partywall seal 1" + the random bytes). So no
// nonce is ever used twice, however much all nodes seal. The purpose is authenticated with it: a
// seal that is moved to another place does not open there.
class SealingKey {
 public:
  static constexpr size_t kKeyBytes = 32;

  // `key` has kKeyBytes random bytes.
  static Result<SealingKey> create(Secret key);

  // Binary.
  [[nodiscard]] std::string seal(std::string_view purpose, std::string_view plain,
                                 Random& random) const;
  // kDenied: it was changed, cut short, sealed with another key or for another purpose.
  [[nodiscard]] Result<Secret> open(std::string_view purpose, std::string_view sealed) const;

 private:
  explicit SealingKey(Secret key) : key_(std::move(key)) {}
  Secret key_;
};

}  // namespace partywall
