#include "identity/context_token.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/base64.h"
#include "base/crypto.h"

namespace partywall {
namespace {

// The payload, in network byte order; docs/context-token.md has the same table.
constexpr uint8_t kVersion = 1;
constexpr size_t kVersionAt = 0;
constexpr size_t kKeyIdAt = 1;
constexpr size_t kAudienceAt = 2;
constexpr size_t kTenantAt = 3;
constexpr size_t kIssuedAtAt = 19;
constexpr size_t kExpiresAtAt = 27;
constexpr size_t kRequestIdAt = 35;
constexpr size_t kPayloadSize = 51;

constexpr size_t kPayloadTextLength = kPayloadSize / 3 * 4;  // 51 is a multiple of 3
constexpr size_t kMacTextLength = 43;                        // of 32 bytes
constexpr size_t kSignedLength = kContextPrefix.size() + kPayloadTextLength;  // what the MAC covers
constexpr size_t kTokenLength = kSignedLength + 1 + kMacTextLength;
static_assert(kPayloadSize % 3 == 0);
static_assert(kTokenLength <= kMaxContextTokenLength);

using Payload = std::array<char, kPayloadSize>;

void put_u64(char* at, uint64_t value) {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<char>(value >> (56 - 8 * i));
}

uint64_t get_u64(std::string_view bytes, size_t at) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(at, 8)) value = (value << 8) | static_cast<uint8_t>(byte);
  return value;
}

void put_uuid(char* at, const Uuid& uuid) { std::ranges::copy(uuid.bytes(), at); }

Uuid get_uuid(std::string_view bytes, size_t at) {
  return Uuid::from_halves(get_u64(bytes, at), get_u64(bytes, at + 8));
}

uint64_t to_seconds(std::chrono::sys_seconds time) {
  return static_cast<uint64_t>(time.time_since_epoch().count());
}

std::optional<WallTime> get_time(std::string_view bytes, size_t at) {
  constexpr uint64_t kLastSecond = 253'402'300'799;  // the end of the year 9999
  const uint64_t value = get_u64(bytes, at);
  if (value > kLastSecond) return std::nullopt;
  return WallTime(seconds(static_cast<int64_t>(value)));
}

std::optional<Audience> get_audience(std::string_view bytes) {
  const auto value = static_cast<uint8_t>(bytes[kAudienceAt]);
  if (value < static_cast<uint8_t>(Audience::kSql) ||
      value > static_cast<uint8_t>(Audience::kAny)) {
    return std::nullopt;
  }
  return static_cast<Audience>(value);
}

bool is_allowed_lifetime(WallTime issued_at, WallTime expires_at) {
  return expires_at > issued_at && expires_at - issued_at <= kMaxContextLifetime;
}

const ContextKey* find_key(const std::vector<ContextKey>& keys, uint8_t id) {
  const auto found = std::ranges::find(keys, id, &ContextKey::id);
  return found == keys.end() ? nullptr : &*found;
}

bool is_usable(const ContextKey& key) { return key.key.reveal().size() >= kMinContextKeyBytes; }

std::unexpected<Error> not_a_token() {
  return fail(ErrorKind::kInvalid, "not a context token; pass on the one of the request unchanged");
}

// What a correctly signed payload says. It is checked all the same: a key may be shared with a
// newer version of the program.
Result<Context> read_payload(std::string_view payload) {
  const auto audience = get_audience(payload);
  const auto issued_at = get_time(payload, kIssuedAtAt);
  const auto expires_at = get_time(payload, kExpiresAtAt);
  if (!audience || !issued_at || !expires_at || !is_allowed_lifetime(*issued_at, *expires_at)) {
    return not_a_token();
  }
  return Context{.tenant = TenantId(get_uuid(payload, kTenantAt)),
                 .audience = *audience,
                 .issued_at = *issued_at,
                 .expires_at = *expires_at,
                 .request_id = get_uuid(payload, kRequestIdAt)};
}

Result<> check_validity(const Context& context, Audience wanted, WallTime now) {
  if (context.audience != wanted && context.audience != Audience::kAny) {
    return fail(ErrorKind::kDenied, "the context token is meant for another door");
  }
  if (now >= context.expires_at) {
    return fail(ErrorKind::kDenied,
                "the context token has expired; pass on the one of the current request, or "
                "mint one for a background job");
  }
  if (context.issued_at > now + kContextClockLeeway) {
    return fail(ErrorKind::kDenied,
                "the context token is not valid yet; compare the clocks of the nodes");
  }
  return {};
}

}  // namespace

Result<std::string> mint_context(const Context& context, const std::vector<ContextKey>& keys) {
  if (keys.empty())
    return fail(ErrorKind::kUnavailable, "the directory has no context key to sign with");
  const ContextKey& key = keys.front();
  if (!is_usable(key)) {
    return fail(ErrorKind::kInvalid, "context key {}: it must have at least {} bytes", key.id,
                kMinContextKeyBytes);
  }
  const auto issued_at = std::chrono::floor<seconds>(context.issued_at);
  const auto expires_at = std::chrono::floor<seconds>(context.expires_at);
  if (issued_at < WallTime() || !is_allowed_lifetime(issued_at, expires_at)) {
    return fail(ErrorKind::kInvalid, "a context token must be valid for 1 second to {} hour(s)",
                kMaxContextLifetime.count());
  }
  Payload payload{};
  payload[kVersionAt] = static_cast<char>(kVersion);
  payload[kKeyIdAt] = static_cast<char>(key.id);
  payload[kAudienceAt] = static_cast<char>(context.audience);
  put_uuid(&payload[kTenantAt], context.tenant.value());
  put_u64(&payload[kIssuedAtAt], to_seconds(issued_at));
  put_u64(&payload[kExpiresAtAt], to_seconds(expires_at));
  put_uuid(&payload[kRequestIdAt], context.request_id);

  std::string token(kContextPrefix);
  token += base64url_encode({payload.data(), payload.size()});
  const Sha256Digest mac = hmac_sha256(key.key.reveal(), token);
  token += '.';
  token += base64url_encode(as_bytes(mac));
  return token;
}

Result<Context> verify_context(std::string_view token, const std::vector<ContextKey>& keys,
                               Audience wanted, WallTime now) {
  if (token.size() != kTokenLength || !token.starts_with(kContextPrefix) ||
      token[kSignedLength] != '.') {
    return not_a_token();
  }
  const auto payload = base64url_decode(token.substr(kContextPrefix.size(), kPayloadTextLength));
  const auto mac = base64url_decode(token.substr(kSignedLength + 1));
  if (!payload || !mac || static_cast<uint8_t>((*payload)[kVersionAt]) != kVersion)
    return not_a_token();

  const ContextKey* key = find_key(keys, static_cast<uint8_t>((*payload)[kKeyIdAt]));
  if (key == nullptr || !is_usable(*key)) {
    return fail(ErrorKind::kInvalid,
                "the context token is signed with a key that is not in use (any more)");
  }
  const Sha256Digest expected = hmac_sha256(key->key.reveal(), token.substr(0, kSignedLength));
  if (!constant_time_equal(as_bytes(expected), *mac)) {
    return fail(ErrorKind::kInvalid, "the signature of the context token is wrong");
  }
  auto context = read_payload(*payload);
  if (!context) return context;
  if (auto valid = check_validity(*context, wanted, now); !valid)
    return std::unexpected(valid.error());
  return context;
}

}  // namespace partywall
