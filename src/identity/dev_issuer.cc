#include "identity/dev_issuer.h"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/json_writer.h"
#include "identity/openssl_handles.h"

namespace partywall {
namespace {

constexpr const char* kCurve = "P-256";
constexpr const char* kCurveInOpenssl = "prime256v1";
constexpr int kNumberBytes = 32;

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
}

// A number of fixed size in network order.
std::string fixed_bytes(const BIGNUM* number) {
  std::string bytes(kNumberBytes, '\0');
  require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kNumberBytes) ==
              kNumberBytes,
          "write a number of the P-256 key");
  return bytes;
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1, "read the P-256 key");
  return base64url_encode(fixed_bytes(openssl::BigNumber(number).get()));
}

bool is_p256(EVP_PKEY* key) {
  char group[32] = {};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                        nullptr) == 1 &&
         std::string_view(group) == kCurveInOpenssl;
}

using Members = std::initializer_list<std::pair<std::string_view, std::string_view>>;

JsonWriter& write_members(JsonWriter& json, Members members) {
  for (const auto& [name, value] : members) json.key(name).value(value);
  return json;
}

std::string json_object(Members members) {
  std::string text;
  JsonWriter json(text);
  write_members(json.begin_object(), members).end_object();
  return text;
}

// RFC 7638: SHA-256 over the required members in the order of their names, without blanks.
std::string thumbprint(const std::string& x, const std::string& y) {
  const std::string text = json_object({{"crv", kCurve}, {"kty", "EC"}, {"x", x}, {"y", y}});
  return base64url_encode(as_bytes(sha256(text)));
}

// ES256: r and s one after the other (RFC 7518 section 3.4).
std::string sign_es256(EVP_PKEY* key, std::string_view message) {
  const openssl::Digest context(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  size_t length = 0;
  require(context &&
              EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key,
                                    nullptr) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &length, data, message.size()) == 1,
          "sign with the P-256 key");
  std::string der(length, '\0');
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &length, data,
                         message.size()) == 1,
          "sign with the P-256 key");
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  const openssl::EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(length)));
  require(pair != nullptr, "read its own signature");
  return fixed_bytes(ECDSA_SIG_get0_r(pair.get())) + fixed_bytes(ECDSA_SIG_get0_s(pair.get()));
}

int64_t to_seconds(WallTime time) {
  return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

}  // namespace

struct DevIssuer::Impl {
  openssl::Key key;
  std::string issuer;
  std::string audience;
  std::string key_id;
  std::string key_set;
};

DevIssuer::DevIssuer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DevIssuer::DevIssuer(DevIssuer&&) noexcept = default;
DevIssuer& DevIssuer::operator=(DevIssuer&&) noexcept = default;
DevIssuer::~DevIssuer() = default;

DevIssuer DevIssuer::make(std::string issuer, std::string audience, std::unique_ptr<Impl> impl) {
  impl->issuer = std::move(issuer);
  impl->audience = std::move(audience);
  const std::string x = coordinate(impl->key.get(), OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string y = coordinate(impl->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  impl->key_id = thumbprint(x, y);
  const std::string jwk = json_object({{"kty", "EC"},
                                       {"crv", kCurve},
                                       {"alg", "ES256"},
                                       {"use", "sig"},
                                       {"kid", impl->key_id},
                                       {"x", x},
                                       {"y", y}});
  impl->key_set = "{\"keys\":[" + jwk + "]}";
  return DevIssuer(std::move(impl));
}

DevIssuer DevIssuer::generate(std::string issuer, std::string audience) {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_EC_gen(kCurveInOpenssl));
  require(impl->key != nullptr, "generate a P-256 key");
  return make(std::move(issuer), std::move(audience), std::move(impl));
}

Result<DevIssuer> DevIssuer::from_pem(std::string issuer, std::string audience, const Secret& pem) {
  const openssl::ErrorScope errors;
  const std::string_view text = pem.reveal();
  const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  // Without a callback OpenSSL would ask for a pass phrase on the terminal.
  const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };
  auto impl = std::make_unique<Impl>();
  if (bio) impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!impl->key || !is_p256(impl->key.get())) {
    return fail(
        ErrorKind::kInvalid,
        "the issuer's key is not an unencrypted P-256 private key in PEM (BEGIN PRIVATE KEY)");
  }
  return make(std::move(issuer), std::move(audience), std::move(impl));
}

Secret DevIssuer::private_key_pem() const {
  const openssl::Bio bio(BIO_new(BIO_s_secmem()));
  require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr) == 1,
          "write the P-256 key");
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string(data, static_cast<size_t>(length)));
}

const std::string& DevIssuer::key_set() const { return impl_->key_set; }

Issuer DevIssuer::trusted() const {
  Issuer trusted;
  trusted.issuer = impl_->issuer;
  trusted.audience = impl_->audience;
  trusted.key_set = impl_->key_set;
  return trusted;
}

std::string DevIssuer::sign(const DevToken& token) const {
  const std::string header =
      json_object({{"alg", "ES256"}, {"typ", "JWT"}, {"kid", impl_->key_id}});
  std::string claims;
  JsonWriter json(claims);
  write_members(json.begin_object(), {{"iss", impl_->issuer},
                                      {"aud", impl_->audience},
                                      {"sub", token.subject},
                                      {"tenant_id", token.tenant}});
  json.key("iat").value(to_seconds(token.issued_at));
  json.key("exp").value(to_seconds(token.expires_at));
  json.end_object();
  const std::string covered = base64url_encode(header) + "." + base64url_encode(claims);
  return covered + "." + base64url_encode(sign_es256(impl_->key.get(), covered));
}

}  // namespace partywall
