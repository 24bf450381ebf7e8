#include "admin/api/role.h"

#include <gtest/gtest.h>

namespace partywall::admin {
namespace {

TenantId tenant(uint64_t number) { return TenantId(Uuid::from_halves(1, number)); }

Principal principal(Role role) {
  return {.id = "x",
          .name = "x",
          .role = role,
          .tenant = role == Role::kTenantAdmin ? std::optional(tenant(1)) : std::nullopt};
}

TEST(Role, EachMayWhatThoseBelowItMay) {
  constexpr std::array kOrder = {Role::kViewer, Role::kOperator, Role::kOwner};
  for (size_t has = 0; has < kOrder.size(); ++has) {
    for (size_t needs = 0; needs < kOrder.size(); ++needs) {
      EXPECT_EQ(may_call(principal(kOrder[has]), {.least = kOrder[needs]}), has >= needs);
    }
  }
}

TEST(Role, ATenantAdminMayOnlyWhatIsMeantForOne) {
  const Principal admin = principal(Role::kTenantAdmin);
  EXPECT_FALSE(may_call(admin, {.least = Role::kViewer}));
  EXPECT_TRUE(may_call(admin, {Role::kOwner, TenantAdmins::kOwnTenant}));
  EXPECT_TRUE(may_call(admin, {Role::kViewer, TenantAdmins::kFiltered}));
}

TEST(Role, ATenantAdminWithoutATenantMayNothing) {
  Principal admin = principal(Role::kTenantAdmin);
  admin.tenant.reset();
  EXPECT_FALSE(may_call(admin, {Role::kViewer, TenantAdmins::kFiltered}));
  EXPECT_FALSE(is_visible(admin, tenant(1)));
}

TEST(Role, ATenantAdminSeesItsTenantOnly) {
  const Principal admin = principal(Role::kTenantAdmin);
  EXPECT_TRUE(is_visible(admin, tenant(1)));
  EXPECT_FALSE(is_visible(admin, tenant(2)));
  EXPECT_TRUE(is_visible(principal(Role::kViewer), tenant(2)));
}

TEST(Role, TextGoesBothWays) {
  for (const Role role : {Role::kTenantAdmin, Role::kViewer, Role::kOperator, Role::kOwner})
    EXPECT_EQ(parse_role(to_string(role)).value(), role);
  EXPECT_FALSE(parse_role("Owner").has_value());
  EXPECT_FALSE(parse_role("").has_value());
}

}  // namespace
}  // namespace partywall::admin
