#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "store/control/session.h"
#include "tenancy/tenant.h"

// Who may call the admin API. The store has only digests: a token is shown once, when it is made.
namespace partywall::store {

using AdminTokenId = StrongId<Uuid, struct AdminTokenIdTag>;

struct AdminTokenRecord {
  AdminTokenId id;
  std::string name;                // for people, in the audit trail
  std::string role;                // viewer, operator, owner or tenant-admin
  std::optional<TenantId> tenant;  // of a tenant-admin
  WallTime created_at;             // set by the store
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
};

Result<> insert_admin_token(Change& change, const AdminTokenRecord& token,
                            const Sha256Digest& secret_sha256);
// kNotFound for one that is not there, is revoked, or has expired by the store's clock.
Result<AdminTokenRecord> find_valid_admin_token(Session& session,
                                                const Sha256Digest& secret_sha256);
// By creation, with those that are no longer valid.
Result<std::vector<AdminTokenRecord>> list_admin_tokens(Session& session);
// Takes effect at the next call. kNotFound; one that is revoked already stays so.
Result<> revoke_admin_token(Change& change, AdminTokenId id);

}  // namespace partywall::store
