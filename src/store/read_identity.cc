#include <algorithm>

#include "identity/jwt.h"
#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr size_t kContextKeyBytes = 32;

void read_context_key(YamlMap& map, FileLoader& files, std::vector<ContextKey>& keys) {
  ContextKey key;
  if (map.required("id", key.id, {0, 255}, "its number in the tokens; a new key needs a new one") &&
      std::ranges::find(keys, key.id, &ContextKey::id) != keys.end()) {
    map.error("id", "there is a context key {} already", key.id);
  }
  read_key_file(map, files, "file", kContextKeyBytes, key.key, "the key, 64 hexadecimal digits");
  keys.push_back(std::move(key));
}

// Algorithms of RSA keys; all others follow from the key.
constexpr Choice<std::string_view> kRsaAlgorithms[] = {{"RS256", "RS256"}, {"RS384", "RS384"},
                                                       {"RS512", "RS512"}, {"PS256", "PS256"},
                                                       {"PS384", "PS384"}, {"PS512", "PS512"}};

void read_key_set(YamlMap& map, FileLoader& files, Issuer& issuer) {
  auto file = read_file_key(map, files, "key_set", Need::kRequired,
                            "JWK Set (RFC 7517) with the issuer's public keys");
  if (!file) return;
  // A symmetric key makes the file a secret: whoever reads it can sign.
  if (file->content.contains("\"oct\"")) warn_if_exposed(map, "key_set", *file);
  issuer.key_set = std::move(file->content);
}

}  // namespace

void read_issuer(YamlMap& map, FileLoader& files, std::vector<Issuer>& issuers) {
  Issuer issuer;
  const bool named = map.required("issuer", issuer.issuer, "exact value of the token's `iss`");
  if (named && std::ranges::find(issuers, issuer.issuer, &Issuer::issuer) != issuers.end()) {
    map.error("issuer", "the issuer '{}' is there already", issuer.issuer);
  }
  map.required("audience", issuer.audience, "must be among the token's `aud`");
  map.optional("tenant_claim", issuer.tenant_claim,
               "claim that holds the tenant's id or slug; `.` leads into an object");
  map.optional("leeway", issuer.leeway, {seconds(0), kMaxJwtLeeway},
               "by how much clocks may differ");
  std::string_view algorithm;
  if (map.optional_choice("default_algorithm", algorithm, kRsaAlgorithms,
                          "of RSA keys that name none; absent: such keys are refused")) {
    issuer.default_algorithm = algorithm;
  }
  read_key_set(map, files, issuer);
  if (named && !issuer.audience.empty() && !issuer.key_set.empty()) {
    if (auto usable = JwtVerifier::create({issuer}); !usable)
      map.error("key_set", "{}", usable.error().message);
  }
  issuers.push_back(std::move(issuer));
}

void read_identity(YamlMap& file, FileLoader& files, DirectoryData& data) {
  file.required_section("identity", "how callers prove who they are", [&](YamlMap& map) {
    map.required_list("context_keys",
                      "keys of the context tokens: each is accepted, the first one signs",
                      [&](YamlMap& key) { read_context_key(key, files, data.context_keys); });
    if (map.has("context_keys") && data.context_keys.empty()) {
      map.error("context_keys", "'context_keys' needs at least one key");
    }
    map.list("issuers", "issuers of the JSON Web Tokens that are accepted",
             [&](YamlMap& issuer) { read_issuer(issuer, files, data.issuers); });
  });
}

}  // namespace partywall::store
