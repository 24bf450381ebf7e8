#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "tenancy/access.h"

// The context token `pw1.<payload>.<mac>`: the proof, signed by a door or the control plane, of who
// the tenant is. Applications carry it and cannot make it. docs/context-token.md has the layout.
namespace partywall {

enum class Audience : uint8_t { kSql = 1, kCache = 2, kAny = 3 };

struct Context {
  TenantId tenant;
  Audience audience = Audience::kAny;
  WallTime issued_at;   // whole seconds
  WallTime expires_at;  // whole seconds
  Uuid request_id;
};

inline constexpr std::string_view kContextPrefix = "pw1.";
inline constexpr size_t kMaxContextTokenLength = 256;
inline constexpr size_t kMinContextKeyBytes = 32;
inline constexpr Duration kRequestContextLifetime = seconds(60);  // of those the http door mints
inline constexpr hours kMaxContextLifetime{1};                    // of any, for background jobs
// A token may come from a node whose clock is ahead by this much. Expiry has no leeway.
inline constexpr seconds kContextClockLeeway{5};

// Signs with the first of `keys`. Times are cut to whole seconds. kUnavailable: there is no key;
// kInvalid: the key is too short, or the lifetime is not between 1 s and kMaxContextLifetime.
Result<std::string> mint_context(const Context& context, const std::vector<ContextKey>& keys);

// kInvalid: not a token, unknown key or wrong signature; kDenied: expired, not yet valid, or meant
// for another audience than `wanted` (a token for any audience fits every door). The message never
// holds the token and may be shown to the caller.
Result<Context> verify_context(std::string_view token, const std::vector<ContextKey>& keys,
                               Audience wanted, WallTime now);

}  // namespace partywall
