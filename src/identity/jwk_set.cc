#include "identity/jwk_set.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/json.h"
#include "identity/token_refusal.h"

namespace partywall {
namespace {

constexpr JsonLimits kKeySetLimits{.max_bytes = 256 * 1024, .max_depth = 8};
constexpr size_t kMaxKeys = 100;

// A member that must be there: canonical base64url of at least one byte.
Result<std::string> read_bytes(const JsonValue& jwk, std::string_view name) {
  const std::string* text = jwk.find_string(name);
  if (text == nullptr || text->empty())
    return fail(ErrorKind::kInvalid, "'{}' is missing or not a string", name);
  auto bytes = base64url_decode(*text);
  if (!bytes) return fail_with_context(fmt::format("'{}'", name), bytes.error());
  return bytes;
}

// "use" and "key_ops" (RFC 7517 sections 4.2, 4.3): absent, or for verifying signatures.
bool is_for_verifying(const JsonValue& jwk) {
  if (const JsonValue* use = jwk.find("use");
      use != nullptr && (!use->as_string() || *use->as_string() != "sig")) {
    return false;
  }
  const JsonValue* operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  const JsonArray* list = operations->as_array();
  return list != nullptr && std::ranges::any_of(*list, [](const JsonValue& operation) {
           return operation.as_string() != nullptr && *operation.as_string() == "verify";
         });
}

// Nothing for a key whose algorithm, type or curve is not ours.
Result<const JwtAlgorithmInfo*> choose_algorithm(const JsonValue& jwk, const std::string& type,
                                                 std::string_view default_algorithm) {
  const std::string* curve = jwk.find_string("crv");
  const std::string_view curve_name = curve ? std::string_view(*curve) : std::string_view();
  const JsonValue* named = jwk.find("alg");
  if (named != nullptr && named->as_string() == nullptr)
    return fail(ErrorKind::kInvalid, "'alg' is not a string");
  if (named == nullptr) {
    if (type == "oct")
      return fail(ErrorKind::kInvalid, "an 'oct' key must name its 'alg', which must be HS256");
    if (type != "RSA") return infer_jwt_algorithm(type, curve_name);
    if (default_algorithm.empty()) {
      return fail(ErrorKind::kInvalid,
                  "an RSA key without 'alg' fits six algorithms; name one in the key set, or as "
                  "the issuer's default algorithm");
    }
  }
  const JwtAlgorithmInfo* info =
      find_jwt_algorithm(named ? std::string_view(*named->as_string()) : default_algorithm);
  if (info == nullptr) return info;
  if (info->key_type != type || info->curve != curve_name) {
    return fail(ErrorKind::kInvalid, "its 'alg' {} does not fit its 'kty' and 'crv'", info->name);
  }
  return info;
}

Result<VerificationKey> read_key(const JsonValue& jwk, const JwtAlgorithmInfo& info) {
  const auto with_two = [&](const char* first, const char* second,
                            auto make) -> Result<VerificationKey> {
    const auto one = read_bytes(jwk, first);
    if (!one) return std::unexpected(one.error());
    const auto two = read_bytes(jwk, second);
    if (!two) return std::unexpected(two.error());
    return make(info.algorithm, *one, *two);
  };
  if (info.key_type == "RSA") return with_two("n", "e", &VerificationKey::rsa);
  if (info.key_type == "EC") return with_two("x", "y", &VerificationKey::elliptic);
  const bool is_symmetric = info.key_type == "oct";
  const auto bytes = read_bytes(jwk, is_symmetric ? "k" : "x");
  if (!bytes) return std::unexpected(bytes.error());
  return is_symmetric ? VerificationKey::hmac_sha256(*bytes) : VerificationKey::ed25519(*bytes);
}

// Nothing for a key that is to be skipped.
Result<std::optional<NamedKey>> read_jwk(const JsonValue& jwk, std::string_view default_algorithm) {
  if (jwk.as_object() == nullptr) return fail(ErrorKind::kInvalid, "a key must be an object");
  const std::string* type = jwk.find_string("kty");
  if (type == nullptr) return fail(ErrorKind::kInvalid, "'kty' is missing or not a string");
  const JsonValue* id = jwk.find("kid");
  if (id != nullptr && (id->as_string() == nullptr || id->as_string()->empty() ||
                        id->as_string()->size() > kMaxKeyIdLength)) {
    return fail(ErrorKind::kInvalid, "'kid' is not a string of 1 to {} bytes", kMaxKeyIdLength);
  }
  if (*type != "oct" && jwk.find("d") != nullptr) {
    return fail(ErrorKind::kInvalid,
                "this is a private key ('d'); publish only public keys, and replace this one");
  }
  if (!is_for_verifying(jwk)) return std::nullopt;
  const auto info = choose_algorithm(jwk, *type, default_algorithm);
  if (!info) return std::unexpected(info.error());
  if (*info == nullptr) return std::nullopt;
  auto key = read_key(jwk, **info);
  if (!key) return std::unexpected(key.error());
  return NamedKey{.id = id ? *id->as_string() : std::string(), .key = std::move(*key)};
}

std::string name_of(const JsonValue& jwk, size_t index) {
  const std::string* id = jwk.find_string("kid");
  return id && id->size() <= kMaxKeyIdLength ? fmt::format("key '{}'", *id)
                                             : fmt::format("key {} of the set", index + 1);
}

bool is_taken(const std::vector<NamedKey>& keys, const NamedKey& key) {
  return !key.id.empty() && std::ranges::any_of(keys, [&](const NamedKey& other) {
    return other.id == key.id && other.key.algorithm() == key.key.algorithm();
  });
}

}  // namespace

Result<std::vector<NamedKey>> parse_jwk_set(std::string_view json,
                                            std::string_view default_algorithm) {
  if (!default_algorithm.empty() && find_jwt_algorithm(default_algorithm) == nullptr) {
    return fail(ErrorKind::kInvalid, "the default algorithm '{}' is not one that is supported",
                default_algorithm);
  }
  const auto document = JsonValue::parse(json, kKeySetLimits);
  if (!document) return fail_with_context("the JWK Set", document.error());
  const JsonValue* list = document->find("keys");
  if (list == nullptr || list->as_array() == nullptr) {
    return fail(ErrorKind::kInvalid, "not a JWK Set: an object with an array 'keys' is expected");
  }
  if (list->as_array()->size() > kMaxKeys) {
    return fail(ErrorKind::kInvalid, "the JWK Set has {} keys; at most {} are read",
                list->as_array()->size(), kMaxKeys);
  }
  std::vector<NamedKey> keys;
  for (size_t i = 0; i < list->as_array()->size(); ++i) {
    const JsonValue& jwk = (*list->as_array())[i];
    auto key = read_jwk(jwk, default_algorithm);
    if (!key) return fail_with_context(name_of(jwk, i), key.error());
    if (!*key) continue;
    if (is_taken(keys, **key))
      return fail(ErrorKind::kInvalid, "{}: its 'kid' is taken by another key", name_of(jwk, i));
    keys.push_back(std::move(**key));
  }
  if (keys.empty())
    return fail(ErrorKind::kInvalid, "the JWK Set has no key that signatures can be verified with");
  return keys;
}

}  // namespace partywall
