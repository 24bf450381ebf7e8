#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// The few primitives that several layers share, on OpenSSL 3. Byte strings are std::string_view.
namespace partywall {

using Sha256Digest = std::array<uint8_t, 32>;
// Not for security: it is what Redis names scripts by.
using Sha1Digest = std::array<uint8_t, 20>;

[[nodiscard]] Sha256Digest sha256(std::string_view data);
[[nodiscard]] Sha1Digest sha1(std::string_view data);
[[nodiscard]] Sha256Digest hmac_sha256(std::string_view key, std::string_view data);

// PBKDF2-HMAC-SHA-256 (RFC 8018), one 32-byte block: the "Hi" of SCRAM (RFC 5802 section 2.2).
[[nodiscard]] Sha256Digest pbkdf2_sha256(std::string_view password, std::string_view salt,
                                         uint32_t iterations);

// Takes the same time wherever the first difference is; only the length is not hidden.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

[[nodiscard]] inline std::string_view as_bytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace partywall
