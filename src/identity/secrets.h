#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/crypto.h"
#include "base/random.h"
#include "base/secret.h"

// The random secrets that tenants present at the cache door. They are made by us and have at least
// 128 bits, so that one SHA-256 protects the stored form: there is nothing to guess. Never use this
// for passwords that people choose.
namespace partywall {

inline constexpr size_t kAccessSecretLength = 32;  // characters, 5.95 bits each: 190 bits

[[nodiscard]] inline Secret make_access_secret(Random& random) {
  return Secret(random.alphanumeric(kAccessSecretLength));
}

[[nodiscard]] inline Sha256Digest hash_access_secret(const Secret& secret) {
  return sha256(secret.reveal());
}

[[nodiscard]] inline bool access_secret_matches(std::string_view presented,
                                                const Sha256Digest& stored) {
  return constant_time_equal(as_bytes(sha256(presented)), as_bytes(stored));
}

}  // namespace partywall
