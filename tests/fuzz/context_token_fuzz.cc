// Any bytes as a context token, and any payload that is signed correctly: only a token that we
// could have minted ourselves is accepted, and it is the only text of what it says.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "base/crypto.h"
#include "identity/context_token.h"

namespace {

using namespace partywall;

const std::vector<ContextKey>& keys() {
  static const std::vector<ContextKey> both = {{.id = 1, .key = Secret(std::string(32, 'a'))},
                                               {.id = 2, .key = Secret(std::string(32, 'b'))}};
  return both;
}

std::string sign(std::string_view payload) {
  const size_t key = payload.size() > 1 && payload[1] == 2 ? 1 : 0;
  const std::string covered = "pw1." + base64url_encode(payload);
  return covered + "." + base64url_encode(as_bytes(hmac_sha256(keys()[key].key.reveal(), covered)));
}

void check(std::string_view token) {
  constexpr WallTime kNow{seconds(1'700'000'000)};
  for (const Audience wanted : {Audience::kSql, Audience::kCache, Audience::kAny}) {
    const auto context = verify_context(token, keys(), wanted, kNow);
    if (!context) continue;
    if (context->audience != wanted && context->audience != Audience::kAny) std::abort();
    if (context->expires_at <= kNow) std::abort();
    const auto first = mint_context(*context, {keys()[0]});
    const auto second = mint_context(*context, {keys()[1]});
    // A lifetime that we would not mint is not accepted either.
    if (!first || !second || (*first != token && *second != token)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check(sign(input));
  return 0;
}
