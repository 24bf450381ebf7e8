#include "cli/token.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "base/private_file.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"
#include "identity/context_token.h"
#include "identity/dev_issuer.h"

namespace partywall::cli {
namespace {

constexpr Duration kLongestJwt = hours(24 * 365);

Result<Audience> parse_audience(std::string_view text) {
  if (text == "sql") return Audience::kSql;
  if (text == "cache") return Audience::kCache;
  if (text == "any") return Audience::kAny;
  return fail(ErrorKind::kInvalid, "--audience {}: it is sql, cache or any", text);
}

Result<Duration> parse_time_to_live(std::string_view text, Duration most) {
  auto parsed = parse_duration(text);
  if (!parsed) return fail_with_context("--ttl", parsed.error());
  if (*parsed < seconds(1) || *parsed > most) {
    return fail(ErrorKind::kInvalid, "--ttl {}: it must be 1s to {}", text, format_duration(most));
  }
  return parsed;
}

Result<std::string> make_context(const TokenRequest& request, const Directory& directory,
                                 const Tenant& tenant, WallTime now) {
  const auto audience = parse_audience(request.audience);
  if (!audience) return std::unexpected(audience.error());
  const auto time_to_live = parse_time_to_live(request.time_to_live, kMaxContextLifetime);
  if (!time_to_live) return std::unexpected(time_to_live.error());
  SystemRandom random;
  const WallTime issued_at = std::chrono::floor<seconds>(now);
  return mint_context({.tenant = tenant.id,
                       .audience = *audience,
                       .issued_at = issued_at,
                       .expires_at = issued_at + std::chrono::ceil<seconds>(*time_to_live),
                       .request_id = Uuid::random(random)},
                      directory.context_keys());
}

Result<std::string> make_jwt(const TokenRequest& request, const Directory& directory,
                             const Tenant& tenant, WallTime now) {
  const auto time_to_live = parse_time_to_live(request.time_to_live, kLongestJwt);
  if (!time_to_live) return std::unexpected(time_to_live.error());
  if (directory.issuers().empty())
    return fail(ErrorKind::kNotFound, "{} names no issuer", request.platform_file);
  const std::string beside =
      (std::filesystem::path(request.platform_file).parent_path() / "secrets/issuer.pem").string();
  const auto pem = read_private_file(request.issuer_key.empty() ? beside : request.issuer_key);
  if (!pem) return fail_with_context("the issuer's private key (--issuer-key)", pem.error());
  const Issuer& trusted = directory.issuers().front();
  const auto issuer = DevIssuer::from_pem(trusted.issuer, trusted.audience, Secret(*pem));
  if (!issuer) return std::unexpected(issuer.error());
  return issuer->sign(
      {.tenant = tenant.id.value().to_string(),
       .subject = "partywall token create",
       .issued_at = now,
       .expires_at = now + std::chrono::duration_cast<milliseconds>(*time_to_live)});
}

}  // namespace

int create_token(const TokenRequest& request) {
  PlatformLoader platform(request.platform_file);
  const auto loaded = platform.load();
  if (!loaded) return kExitFailure;
  const Directory& directory = *loaded->directory;
  const Tenant* tenant = directory.find_tenant_by_name(request.tenant);
  if (!tenant) {
    fmt::print(stderr, "partywall: {} has no tenant '{}'\n", request.platform_file, request.tenant);
    return kExitFailure;
  }
  const WallTime now = SystemTime().wall();
  const auto token = request.kind == TokenKind::kJwt
                         ? make_jwt(request, directory, *tenant, now)
                         : make_context(request, directory, *tenant, now);
  if (!token) {
    fmt::print(stderr, "partywall: {}\n", token.error().message);
    return kExitFailure;
  }
  fmt::print("{}\n", *token);
  return kExitSuccess;
}

}  // namespace partywall::cli
