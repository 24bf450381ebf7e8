#include "identity/sealing_key.h"

#include <stdexcept>

#include "base/crypto.h"
#include "identity/openssl_handles.h"

namespace partywall {
namespace {

constexpr std::string_view kFormat = "s1";
constexpr size_t kSaltBytes = 16;
constexpr size_t kTagBytes = 16;
constexpr size_t kOverhead = kFormat.size() + kSaltBytes + kTagBytes;
constexpr unsigned char kNonce[12] = {};  // each key seals once

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, openssl::Free<EVP_CIPHER_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const EVP_CIPHER* algorithm() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  if (cipher == nullptr) throw std::runtime_error("OpenSSL has no AES-256-GCM");
  return cipher;
}

Secret key_of_seal(const Secret& key, std::string_view salt) {
  return Secret(
      std::string(as_bytes(hmac_sha256(key.reveal(), "partywall seal 1" + std::string(salt)))));
}

enum class Direction { kDecrypt = 0, kEncrypt = 1 };

Cipher start(Direction direction, const Secret& key, std::string_view purpose) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool ready = cipher != nullptr &&
                     EVP_CipherInit_ex2(cipher.get(), algorithm(), bytes_of(key.reveal()), kNonce,
                                        static_cast<int>(direction), nullptr) == 1 &&
                     EVP_CipherUpdate(cipher.get(), nullptr, &length, bytes_of(purpose),
                                      static_cast<int>(purpose.size())) == 1;
  if (!ready) throw std::runtime_error("OpenSSL cannot start AES-256-GCM");
  return cipher;
}

// The same for both directions; false: the tag does not fit.
bool run(EVP_CIPHER_CTX* cipher, std::string_view input, unsigned char* output) {
  int length = 0;
  int rest = 0;
  return EVP_CipherUpdate(cipher, output, &length, bytes_of(input),
                          static_cast<int>(input.size())) == 1 &&
         EVP_CipherFinal_ex(cipher, output + length, &rest) == 1;
}

}  // namespace

Result<SealingKey> SealingKey::create(Secret key) {
  if (key.reveal().size() != kKeyBytes)
    return fail(ErrorKind::kInvalid, "a node key has {} bytes", kKeyBytes);
  return SealingKey(std::move(key));
}

std::string SealingKey::seal(std::string_view purpose, std::string_view plain,
                             Random& random) const {
  std::string sealed(kFormat);
  sealed.resize(kOverhead + plain.size());
  random.fill({bytes_of(sealed) + kFormat.size(), kSaltBytes});
  const std::string_view salt(sealed.data() + kFormat.size(), kSaltBytes);
  const Cipher cipher = start(Direction::kEncrypt, key_of_seal(key_, salt), purpose);
  unsigned char* const body = bytes_of(sealed) + kFormat.size() + kSaltBytes;
  if (!run(cipher.get(), plain, body) ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, body + plain.size()) != 1)
    throw std::runtime_error("OpenSSL cannot encrypt with AES-256-GCM");
  return sealed;
}

Result<Secret> SealingKey::open(std::string_view purpose, std::string_view sealed) const {
  if (sealed.size() < kOverhead || !sealed.starts_with(kFormat))
    return fail(ErrorKind::kDenied, "what is sealed as '{}' is no seal of this release", purpose);
  const openssl::ErrorScope errors;
  const std::string_view salt = sealed.substr(kFormat.size(), kSaltBytes);
  const size_t plain_size = sealed.size() - kOverhead;
  const std::string_view body = sealed.substr(kFormat.size() + kSaltBytes, plain_size);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Cipher cipher = start(Direction::kDecrypt, key_of_seal(key_, salt), purpose);
  std::string plain(plain_size, '\0');
  const bool valid =
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      run(cipher.get(), body, bytes_of(plain));
  Secret opened(std::move(plain));
  if (valid) return opened;
  return fail(ErrorKind::kDenied,
              "what is sealed as '{}' was changed, or sealed with another node key", purpose);
}

}  // namespace partywall
