#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "admin/api/api_error.h"
#include "admin/api/role.h"
#include "admin/api/settings.h"
#include "base/crypto.h"
#include "identity/jwt.h"
#include "policy/gcra.h"

namespace partywall::admin {

inline constexpr std::string_view kAdminTokenPrefix = "pwa_";

// A new token: the prefix and 40 random characters, 238 bits.
Secret make_admin_token(Random& random);

// Rates of many callers by name. Bounded: when too many are known, all are forgotten.
class CallerRates {
 public:
  explicit CallerRates(const RateLimit& limit) : limit_(limit) {}
  // The time to wait; zero: admitted.
  Duration admit(const std::string& caller, MonotonicTime now);
  // Is the caller to wait for something it was refused before?
  Duration blocked_for(const std::string& caller, MonotonicTime now);

 private:
  struct Entry {
    Gcra rate;
    MonotonicTime blocked_until{};
  };
  const RateLimit limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> callers_;
};

// Says who calls, from the Authorization header: an admin token, or a JSON Web Token of an issuer
// that is configured for people. Thread-safe.
class Authenticator {
 public:
  static Result<std::unique_ptr<Authenticator>> create(const ApiSettings& settings,
                                                       const TimeSource& time);

  // 401 if that is nobody, the same for every reason; 429 for an address that guesses, and for a
  // principal that calls too often; 503 if the store is down. A token that was right before is
  // looked at even if its address guesses: nobody is locked out by a neighbour.
  ApiResult<Principal> authenticate(const Request& request, store::Session& session);

 private:
  Authenticator(const ApiSettings& settings, const TimeSource& time);
  ApiResult<Principal> find_token(std::string_view token, const std::string& address,
                                  store::Session& session);
  ApiResult<Principal> verify_jwt(std::string_view token, store::Session& session);
  ApiError failed(const std::string& address);
  bool was_right(const Sha256Digest& digest);
  void remember(const Sha256Digest& digest);

  const TimeSource& time_;
  std::shared_ptr<const JwtVerifier> jwt_;  // null: no issuer is configured
  CallerRates calls_;
  CallerRates failures_;
  std::mutex mutex_;
  std::unordered_set<std::string> right_before_;  // digests
};

}  // namespace partywall::admin
