#include "identity/jwt_signer.h"

#include <map>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "identity/openssl_handles.h"

namespace partywall {
namespace {

constexpr std::string_view kSecret = "a secret of more than thirty-two bytes";

std::string number(EVP_PKEY* key, const char* name, size_t bytes = 0) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) throw std::runtime_error(name);
  const openssl::BigNumber owner(value);
  std::string out(bytes != 0 ? bytes : static_cast<size_t>(BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return base64url_encode(out);
}

std::string raw_public_key(EVP_PKEY* key) {
  std::string out(32, '\0');
  size_t length = out.size();
  EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(out.data()), &length);
  return base64url_encode(out);
}

std::string from_der(const std::string& der, size_t bytes) {
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  const openssl::EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  std::string out(2 * bytes, '\0');
  auto* start = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), start, static_cast<int>(bytes));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), start + bytes, static_cast<int>(bytes));
  return out;
}

template <class SetUp>
std::string sign_with(EVP_PKEY* key, const char* digest, std::string_view text, SetUp set_up) {
  const openssl::Digest context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit_ex(context.get(), &key_context, digest, nullptr, nullptr, key, nullptr);
  set_up(key_context);
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  size_t length = 0;
  EVP_DigestSign(context.get(), nullptr, &length, data, text.size());
  std::string out(length, '\0');
  auto* start = reinterpret_cast<unsigned char*>(out.data());
  if (EVP_DigestSign(context.get(), start, &length, data, text.size()) != 1)
    throw std::runtime_error("cannot sign");
  out.resize(length);
  return out;
}

openssl::Key rsa_key(unsigned bits, const std::string& key_id) {
  static std::map<std::pair<unsigned, std::string>, openssl::Key> keys;
  openssl::Key& key = keys[{bits, key_id}];
  if (!key) key.reset(EVP_RSA_gen(bits));
  EVP_PKEY_up_ref(key.get());
  return openssl::Key(key.get());
}

}  // namespace

struct JwtSigner::Impl {
  openssl::Key key;
};

JwtSigner::JwtSigner(JwtAlgorithm algorithm, std::string key_id, unsigned rsa_bits)
    : impl_(std::make_unique<Impl>()), algorithm_(algorithm), key_id_(std::move(key_id)) {
  const JwtAlgorithmInfo& info = describe(algorithm);
  if (info.key_type == "oct") {
    jwk_members_ = fmt::format(R"("kty":"oct","k":"{}")", base64url_encode(kSecret));
  } else if (info.key_type == "RSA") {
    impl_->key = rsa_key(rsa_bits, key_id_);
    jwk_members_ = fmt::format(R"("kty":"RSA","n":"{}","e":"{}")",
                               number(impl_->key.get(), OSSL_PKEY_PARAM_RSA_N),
                               number(impl_->key.get(), OSSL_PKEY_PARAM_RSA_E));
  } else if (info.key_type == "EC") {
    impl_->key.reset(EVP_EC_gen(std::string(info.curve).c_str()));
    jwk_members_ =
        fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")", info.curve,
                    number(impl_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X, info.number_bytes),
                    number(impl_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, info.number_bytes));
  } else {
    impl_->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    jwk_members_ =
        fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")", raw_public_key(impl_->key.get()));
  }
}

JwtSigner::~JwtSigner() = default;

std::string JwtSigner::key_set() const {
  return fmt::format(R"({{"keys":[{{{},"kid":"{}","alg":"{}"}}]}})", jwk_members_, key_id_,
                     describe(algorithm_).name);
}

std::string JwtSigner::header() const {
  return fmt::format(R"({{"alg":"{}","typ":"JWT","kid":"{}"}})", describe(algorithm_).name,
                     key_id_);
}

std::string JwtSigner::token(std::string_view header, std::string_view claims) const {
  const std::string signed_text = base64url_encode(header) + "." + base64url_encode(claims);
  return signed_text + "." + base64url_encode(signature(signed_text));
}

std::string JwtSigner::token(std::string_view claims) const { return token(header(), claims); }

std::string JwtSigner::signature(std::string_view signed_text) const {
  const JwtAlgorithmInfo& info = describe(algorithm_);
  if (info.key_type == "oct") return std::string(as_bytes(hmac_sha256(kSecret, signed_text)));
  if (info.name.starts_with("PS")) return pss_signature(signed_text, RSA_PSS_SALTLEN_DIGEST);
  const std::string made =
      sign_with(impl_->key.get(), info.digest, signed_text, [](EVP_PKEY_CTX*) {});
  return info.key_type == "EC" ? from_der(made, info.number_bytes) : made;
}

std::string JwtSigner::pss_signature(std::string_view signed_text, int salt_bytes) const {
  return sign_with(impl_->key.get(), describe(algorithm_).digest, signed_text,
                   [&](EVP_PKEY_CTX* context) {
                     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_bytes);
                   });
}

}  // namespace partywall
