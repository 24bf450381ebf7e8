#include "admin/api/authenticator.h"

#include "store/control/admin_tokens.h"
#include "store/control/tenants.h"

namespace partywall::admin {
namespace {

constexpr size_t kTokenCharacters = 40;
constexpr size_t kMostCallers = 10'000;
constexpr size_t kMostRemembered = 10'000;
constexpr std::string_view kTenantAdminClaim = "tenant-admin:";
constexpr std::string_view kWhoAreYou =
    "Send Authorization: Bearer with an admin token (pwa_…) or a token of a configured issuer; "
    "this one is missing, unknown, expired or revoked.";

std::string_view bearer_of(const Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value = request.header("Authorization").value_or("");
  return value.starts_with(kScheme) ? value.substr(kScheme.size()) : std::string_view();
}

ApiResult<Principal> to_principal(const store::AdminTokenRecord& token) {
  const auto role = parse_role(token.role);
  if (!role) return refuse(role.error());
  return Principal{.id = "token:" + token.id.value().to_string(),
                   .name = "token " + token.name,
                   .role = *role,
                   .tenant = token.tenant};
}

}  // namespace

Secret make_admin_token(Random& random) {
  return Secret(std::string(kAdminTokenPrefix) + random.alphanumeric(kTokenCharacters));
}

Duration CallerRates::admit(const std::string& caller, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (callers_.size() >= kMostCallers && !callers_.contains(caller)) callers_.clear();
  Entry& entry = callers_[caller];
  const RateDecision decision = entry.rate.admit(limit_, now);
  if (decision.admitted) return Duration(0);
  entry.blocked_until = now + decision.retry_after;
  return decision.retry_after;
}

Duration CallerRates::blocked_for(const std::string& caller, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = callers_.find(caller);
  if (found == callers_.end() || found->second.blocked_until <= now) return Duration(0);
  return found->second.blocked_until - now;
}

Authenticator::Authenticator(const ApiSettings& settings, const TimeSource& time)
    : time_(time), calls_(settings.calls), failures_(settings.failed_logins) {}

Result<std::unique_ptr<Authenticator>> Authenticator::create(const ApiSettings& settings,
                                                             const TimeSource& time) {
  std::unique_ptr<Authenticator> made(new Authenticator(settings, time));
  if (!settings.issuers.empty()) {
    auto verifier = JwtVerifier::create(settings.issuers);
    if (!verifier) return fail_with_context("issuers of the admin API", verifier.error());
    made->jwt_ = *std::move(verifier);
  }
  return made;
}

ApiResult<Principal> Authenticator::authenticate(const Request& request, store::Session& session) {
  const std::string& address = request.peer.endpoint.address;
  const std::string_view token = bearer_of(request);
  if (token.empty()) return refuse(not_authenticated(std::string(kWhoAreYou)));
  auto principal = token.starts_with(kAdminTokenPrefix) ? find_token(token, address, session)
                                                        : verify_jwt(token, session);
  if (!principal) {
    if (principal.error().status == 401) return refuse(failed(address));
    return principal;
  }
  const Duration wait = calls_.admit(principal->id, time_.monotonic());
  if (wait > Duration(0)) return refuse(too_many_requests(wait));
  return principal;
}

ApiResult<Principal> Authenticator::find_token(std::string_view token, const std::string& address,
                                               store::Session& session) {
  const Sha256Digest digest = sha256(token);
  if (!was_right(digest)) {
    const Duration blocked = failures_.blocked_for(address, time_.monotonic());
    if (blocked > Duration(0)) return refuse(too_many_requests(blocked));
  }
  const auto found = store::find_valid_admin_token(session, digest);
  if (!found) {
    if (found.error().kind == ErrorKind::kNotFound) return refuse(not_authenticated(""));
    return refuse(found.error());
  }
  remember(digest);
  return to_principal(*found);
}

ApiResult<Principal> Authenticator::verify_jwt(std::string_view token, store::Session& session) {
  if (!jwt_) return refuse(not_authenticated(""));
  const auto verified = jwt_->verify(token, time_.wall());
  if (!verified) return refuse(not_authenticated(""));
  Principal principal{.id = fmt::format("jwt:{}:{}", verified->issuer, verified->subject),
                      .name = fmt::format("{} of {}", verified->subject, verified->issuer)};
  const std::string_view claim = verified->tenant;
  if (claim.starts_with(kTenantAdminClaim)) {
    const auto tenant = store::find_tenant(session, claim.substr(kTenantAdminClaim.size()));
    if (!tenant) return refuse(not_authenticated(""));
    principal.role = Role::kTenantAdmin;
    principal.tenant = tenant->id;
    return principal;
  }
  const auto role = parse_role(claim);
  if (!role || *role == Role::kTenantAdmin) return refuse(not_authenticated(""));
  principal.role = *role;
  return principal;
}

ApiError Authenticator::failed(const std::string& address) {
  const Duration wait = failures_.admit(address, time_.monotonic());
  if (wait > Duration(0)) return too_many_requests(wait);
  return not_authenticated(std::string(kWhoAreYou));
}

bool Authenticator::was_right(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  return right_before_.contains(std::string(as_bytes(digest)));
}

void Authenticator::remember(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (right_before_.size() >= kMostRemembered) right_before_.clear();
  right_before_.emplace(as_bytes(digest));
}

}  // namespace partywall::admin
