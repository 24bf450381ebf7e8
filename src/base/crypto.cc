#include "base/crypto.h"

#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace partywall {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL cannot compute ") + what);
}

// Fetched once: an implicit fetch at each call takes OpenSSL 3.0's global locks.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(algorithm != nullptr, "SHA-256");
  return algorithm;
}

}  // namespace

Sha256Digest sha256(std::string_view data) {
  Sha256Digest digest{};
  unsigned int length = 0;
  require(EVP_Digest(data.data(), data.size(), digest.data(), &length, sha256_algorithm(),
                     nullptr) == 1,
          "SHA-256");
  return digest;
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view data) {
  Sha256Digest digest{};
  unsigned int length = 0;
  require(HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()), data_of(data),
               data.size(), digest.data(), &length) != nullptr,
          "HMAC-SHA-256");
  return digest;
}

Sha256Digest pbkdf2_sha256(std::string_view password, std::string_view salt, uint32_t iterations) {
  Sha256Digest derived{};
  require(
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), data_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations),
                        sha256_algorithm(), static_cast<int>(derived.size()), derived.data()) == 1,
      "PBKDF2-HMAC-SHA-256");
  return derived;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace partywall
