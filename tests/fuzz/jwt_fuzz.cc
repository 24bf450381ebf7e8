// First byte 'k': the rest is a JWK Set. 's': two lines, header and claims, that are signed
// correctly, so that what lies behind the signature is reached. Anything else: the whole input is a
// token. Nothing crashes; nothing is accepted but an HS256 token of our issuer that names a tenant;
// and no accepted token stays valid with another signature.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/crypto.h"
#include "identity/jwk_set.h"
#include "identity/jwt.h"

namespace {

using namespace partywall;

constexpr std::string_view kSecret = "a secret of more than thirty-two bytes";
constexpr WallTime kNow{seconds(1'700'000'100)};

const JwtVerifier& verifier() {
  static const auto instance =
      JwtVerifier::create({{.issuer = "https://login.example",
                            .audience = "partywall",
                            .key_set = R"({"keys":[{"kty":"oct","alg":"HS256","kid":"k","k":")" +
                                       base64url_encode(kSecret) + "\"}]}"}})
          .value();
  return *instance;
}

bool check(const std::string& token) {
  const auto verified = verifier().verify(token, kNow);
  if (!verified) {
    if (verified.error().kind != ErrorKind::kDenied || verified.error().message.empty())
      std::abort();
    return false;
  }
  if (verified->issuer != "https://login.example" || verified->tenant.empty()) std::abort();
  if (verified->expires_at + seconds(30) <= kNow) std::abort();
  return true;
}

void check_signed(std::string_view header, std::string_view claims) {
  const std::string covered = base64url_encode(header) + "." + base64url_encode(claims);
  std::string mac(as_bytes(hmac_sha256(kSecret, covered)));
  if (!check(covered + "." + base64url_encode(mac))) return;
  if (header.find("HS256") == header.npos && header.find('\\') == header.npos) std::abort();
  mac[0] = static_cast<char>(mac[0] ^ 1);
  if (check(covered + "." + base64url_encode(mac))) std::abort();
}

void check_key_set(std::string_view json) {
  const auto keys = parse_jwk_set(json, "RS256");
  if (!keys) {
    if (keys.error().message.empty()) std::abort();
    return;
  }
  if (keys->empty()) std::abort();
  for (const NamedKey& key : *keys) {
    if (key.key.verify("text", "signature") || key.key.verify("", "")) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with('k')) {
    check_key_set(input.substr(1));
  } else if (input.starts_with('s')) {
    const size_t end = input.find('\n');
    if (end != input.npos) check_signed(input.substr(1, end - 1), input.substr(end + 1));
  } else {
    check(std::string(input));
  }
  return 0;
}
