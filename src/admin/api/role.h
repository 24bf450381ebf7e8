#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tenancy/tenant.h"

// Who may do what at the admin API; pure.
namespace partywall::admin {

// viewer < operator < owner; a tenant-admin stands beside them: it sees and keeps the logins of one
// tenant, and nothing of any other.
enum class Role : uint8_t { kTenantAdmin, kViewer, kOperator, kOwner };

std::string_view to_string(Role role);
Result<Role> parse_role(std::string_view text);

struct Principal {
  std::string id;    // unique and stable: "token:<uuid>", "jwt:<issuer>:<subject>"
  std::string name;  // for people and the audit trail: "token ops"
  Role role = Role::kViewer;
  std::optional<TenantId> tenant;  // of a tenant-admin, and of nobody else
};

enum class TenantAdmins : uint8_t {
  kRefused,
  kOwnTenant,  // the path's first parameter is a tenant: theirs, or it does not exist for them
  kFiltered,   // the handler shows them what is their tenant's only
};

// What an endpoint asks of its caller.
struct Access {
  Role least = Role::kOwner;
  TenantAdmins tenant_admins = TenantAdmins::kRefused;
};

// Of the role alone; which tenant it is, is_visible says.
bool may_call(const Principal& principal, const Access& access);

// May the principal know of the tenant at all? For anything but a yes the answer is the one for a
// tenant that does not exist.
bool is_visible(const Principal& principal, TenantId tenant);

}  // namespace partywall::admin
