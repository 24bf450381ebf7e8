#include "identity/verification_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "identity/openssl_handles.h"

namespace partywall {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

openssl::BigNumber number_from(std::string_view bytes) {
  return openssl::BigNumber(BN_bin2bn(data_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// A public key of `type` ("RSA", "EC") from what `fill` puts into the builder; null if it is not
// one.
template <class Fill>
openssl::Key key_from(const char* type, Fill fill) {
  const openssl::ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || !fill(builder.get())) return nullptr;
  const openssl::Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return openssl::Key(key);
}

bool is_valid_public_key(EVP_PKEY* key) {
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

bool is_pss(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kPs256 || algorithm == JwtAlgorithm::kPs384 ||
         algorithm == JwtAlgorithm::kPs512;
}

// RFC 7518 section 3.5: MGF1 with the same digest, and a salt of the digest's size.
bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// JWS has r and s as two numbers of fixed size (RFC 7518 section 3.4); OpenSSL reads them in DER.
std::string to_der(std::string_view signature) {
  const size_t half = signature.size() / 2;
  openssl::BigNumber r = number_from(signature.substr(0, half));
  openssl::BigNumber s = number_from(signature.substr(half));
  const openssl::EcdsaSignature pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();  // they belong to the pair now
  (void)s.release();
  const int length = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (length <= 0) return {};
  std::string der(static_cast<size_t>(length), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

}  // namespace

struct VerificationKey::Impl {
  JwtAlgorithm algorithm;
  openssl::Key key;  // null for HMAC
  // Set up once, then copied for each verification: the copy needs none of the fetches by name that
  // take OpenSSL 3.0's global locks.
  openssl::Digest prepared;
  Secret secret;  // HMAC
};

VerificationKey::VerificationKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VerificationKey::VerificationKey(VerificationKey&&) noexcept = default;
VerificationKey& VerificationKey::operator=(VerificationKey&&) noexcept = default;
VerificationKey::~VerificationKey() = default;

JwtAlgorithm VerificationKey::algorithm() const { return impl_->algorithm; }

Result<VerificationKey> VerificationKey::make(std::unique_ptr<Impl> impl) {
  const openssl::ErrorScope errors;
  EVP_PKEY_CTX* context = nullptr;  // belongs to `prepared`
  impl->prepared.reset(EVP_MD_CTX_new());
  if (!impl->prepared ||
      EVP_DigestVerifyInit_ex(impl->prepared.get(), &context, describe(impl->algorithm).digest,
                              nullptr, nullptr, impl->key.get(), nullptr) != 1 ||
      (is_pss(impl->algorithm) && !set_pss(context))) {
    return fail(ErrorKind::kInternal, "OpenSSL cannot verify {} with this key",
                describe(impl->algorithm).name);
  }
  return VerificationKey(std::move(impl));
}

Result<VerificationKey> VerificationKey::rsa(JwtAlgorithm algorithm, std::string_view modulus,
                                             std::string_view exponent) {
  const openssl::ErrorScope errors;
  const openssl::BigNumber n = number_from(modulus);
  const openssl::BigNumber e = number_from(exponent);
  if (!n || !e) return fail(ErrorKind::kInternal, "out of memory");
  const int bits = BN_num_bits(n.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return fail(ErrorKind::kInvalid, "an RSA key of {} bits; {} to {} are accepted", bits,
                kMinRsaBits, kMaxRsaBits);
  }
  if (BN_num_bits(e.get()) > 32 || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return fail(ErrorKind::kInvalid,
                "the exponent of the RSA key is not an odd number from 3 to 2^32");
  }
  openssl::Key key = key_from("RSA", [&](OSSL_PARAM_BLD* builder) {
    return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e.get()) == 1;
  });
  // Not more than this: OpenSSL's full check tests the modulus for being a prime, which takes
  // 5 ms a key, and the issuer could publish a worse key that passes.
  if (!key || !BN_is_odd(n.get())) return fail(ErrorKind::kInvalid, "not a valid RSA public key");
  return make(std::make_unique<Impl>(Impl{algorithm, std::move(key), nullptr, Secret()}));
}

Result<VerificationKey> VerificationKey::elliptic(JwtAlgorithm algorithm, std::string_view x,
                                                  std::string_view y) {
  const openssl::ErrorScope errors;
  const JwtAlgorithmInfo& info = describe(algorithm);
  if (x.size() != info.number_bytes || y.size() != info.number_bytes) {
    return fail(ErrorKind::kInvalid, "x and y of a {} key must have {} bytes each", info.curve,
                info.number_bytes);
  }
  const std::string point =
      std::string("\x04") + std::string(x) + std::string(y);  // uncompressed, SEC 1 section 2.3.3
  const char* group = algorithm == JwtAlgorithm::kEs256 ? "prime256v1" : "secp384r1";
  openssl::Key key = key_from("EC", [&](OSSL_PARAM_BLD* builder) {
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size()) == 1;
  });
  if (!key || !is_valid_public_key(key.get())) {
    return fail(ErrorKind::kInvalid, "x and y are not a point of the curve {}", info.curve);
  }
  return make(std::make_unique<Impl>(Impl{algorithm, std::move(key), nullptr, Secret()}));
}

Result<VerificationKey> VerificationKey::ed25519(std::string_view public_key) {
  const openssl::ErrorScope errors;
  openssl::Key key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, data_of(public_key),
                                                  public_key.size()));
  if (!key)
    return fail(ErrorKind::kInvalid, "an Ed25519 key must have 32 bytes, not {}",
                public_key.size());
  return make(
      std::make_unique<Impl>(Impl{JwtAlgorithm::kEdDsa, std::move(key), nullptr, Secret()}));
}

Result<VerificationKey> VerificationKey::hmac_sha256(std::string_view secret) {
  if (secret.size() < kMinHmacKeyBytes) {
    return fail(ErrorKind::kInvalid, "an HS256 key of {} bytes; it must have at least {}",
                secret.size(), kMinHmacKeyBytes);
  }
  return VerificationKey(std::make_unique<Impl>(
      Impl{JwtAlgorithm::kHs256, nullptr, nullptr, Secret(std::string(secret))}));
}

bool VerificationKey::verify(std::string_view message, std::string_view signature) const {
  if (impl_->algorithm == JwtAlgorithm::kHs256) {
    return constant_time_equal(as_bytes(partywall::hmac_sha256(impl_->secret.reveal(), message)),
                               signature);
  }
  const openssl::ErrorScope errors;
  const JwtAlgorithmInfo& info = describe(impl_->algorithm);
  std::string der;
  if (info.number_bytes != 0) {
    if (signature.size() != 2 * info.number_bytes) return false;
    if (info.key_type == "EC") {
      der = to_der(signature);
      signature = der;
    }
  }
  const openssl::Digest context(EVP_MD_CTX_new());
  return context && EVP_MD_CTX_copy_ex(context.get(), impl_->prepared.get()) == 1 &&
         EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(message),
                          message.size()) == 1;
}

}  // namespace partywall
