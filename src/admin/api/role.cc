#include "admin/api/role.h"

#include <array>

#include "base/text.h"

namespace partywall::admin {
namespace {

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array<RoleName, 4> kRoleNames = {{{Role::kTenantAdmin, "tenant-admin"},
                                                 {Role::kViewer, "viewer"},
                                                 {Role::kOperator, "operator"},
                                                 {Role::kOwner, "owner"}}};

}  // namespace

std::string_view to_string(Role role) {
  for (const RoleName& entry : kRoleNames) {
    if (entry.role == role) return entry.name;
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view text) {
  for (const RoleName& entry : kRoleNames) {
    if (entry.name == text) return entry.role;
  }
  return fail(ErrorKind::kInvalid, "{}: a role is viewer, operator, owner or tenant-admin", text);
}

bool may_call(const Principal& principal, const Access& access) {
  if (principal.role == Role::kTenantAdmin)
    return principal.tenant && access.tenant_admins != TenantAdmins::kRefused;
  return principal.role >= access.least;
}

bool is_visible(const Principal& principal, TenantId tenant) {
  return principal.role != Role::kTenantAdmin || principal.tenant == tenant;
}

}  // namespace partywall::admin
