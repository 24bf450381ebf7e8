#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "identity/jwt.h"
#include "identity/scram.h"
#include "net/stream.h"
#include "sql/client/client_fsm.h"
#include "sql/console/console_login.h"
#include "sql/wire/startup.h"
#include "tenancy/directory.h"

// Who may log in, how they prove it, and whose data they get: decisions, as functions of the
// directory.
namespace partywall::sql {

// Everything that logins are checked against, at one moment.
struct LoginAuthority {
  DirectoryRef directory;
  std::shared_ptr<const JwtVerifier> jwt;  // nullptr: no issuer is trusted
  WallTime now;
  std::span<const ConsoleLogin> console = {};
};

enum class ProofMethod : uint8_t {
  kScram,
  kToken,  // a context token or a JWT as the password, in clear text
};

struct ProofDemand {
  ProofMethod method = ProofMethod::kScram;
  ScramVerifier verifier;  // kScram; a mock one for users that do not exist
};

// What the client must present. The answer never tells whether the user exists.
[[nodiscard]] std::expected<ProofDemand, SqlError> demand_proof(const StartupRequest& request,
                                                                const net::Peer& peer,
                                                                const LoginAuthority& authority);

// A client that may come in.
struct Admission {
  LoginClass login_class = LoginClass::kBound;
  std::string user;
  std::string cell;
  std::optional<TenantId> tenant;          // bound, and migration logins that are bound to one
  SettingsRef settings;                    // asked for at start-up
  std::optional<TenantId> session_tenant;  // of app.current_tenant, given at start-up
  std::optional<ConsoleRights> console;    // then nothing of the above but `user` counts
};

// After the proof: `token` is what a client of kToken presented. Everything that is wrong is FATAL.
[[nodiscard]] std::expected<Admission, SqlError> admit(const StartupRequest& request,
                                                       const net::Peer& peer,
                                                       std::optional<std::string_view> token,
                                                       const LoginAuthority& authority);

// Which tenant a token (context or JWT) proves, of those that are served in `cell` (empty: in any).
[[nodiscard]] std::expected<TenantId, SqlError> tenant_of_token(std::string_view token,
                                                                const LoginAuthority& authority);

}  // namespace partywall::sql
