#include "tenancy/tenant.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(Slug, AcceptsDnsLabels) {
  for (const std::string& slug :
       std::initializer_list<std::string>{"a", "acme", "a-1", "x--y", std::string(40, 'a')}) {
    EXPECT_TRUE(check_slug(slug).has_value()) << slug;
  }
}

TEST(Slug, RefusesEverythingElse) {
  for (const std::string& slug :
       std::initializer_list<std::string>{"", "A", "1a", "-a", "a-", "a_b", "a.b", "a b", "a\n",
                                          "\xC3\xA4", "a'b", std::string(41, 'a')}) {
    const auto checked = check_slug(slug);
    ASSERT_FALSE(checked.has_value()) << slug;
    EXPECT_EQ(checked.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_FALSE(check_slug(std::string_view("a\0b", 3)).has_value());
}

TEST(Slug, CannotLookLikeATenantId) {
  EXPECT_FALSE(check_slug("a0000000-0000-4000-8000-000000000001").has_value());
  EXPECT_TRUE(check_slug("a0000000-0000-4000-8000-00000000000").has_value());
}

TEST(TenantStatus, TextGoesBothWays) {
  for (const TenantStatus status :
       {TenantStatus::kRequested, TenantStatus::kProvisioning, TenantStatus::kActive,
        TenantStatus::kReadOnly, TenantStatus::kSuspended, TenantStatus::kOffboarding,
        TenantStatus::kErasing, TenantStatus::kErased}) {
    const auto parsed = parse_tenant_status(to_string(status));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, status);
  }
  EXPECT_FALSE(parse_tenant_status("Active").has_value());
  EXPECT_FALSE(parse_tenant_status("").has_value());
}

TEST(TenantStatus, OnlyActiveAndReadOnlyAreServed) {
  EXPECT_TRUE(is_served(TenantStatus::kActive));
  EXPECT_TRUE(is_served(TenantStatus::kReadOnly));
  for (const TenantStatus status :
       {TenantStatus::kRequested, TenantStatus::kProvisioning, TenantStatus::kSuspended,
        TenantStatus::kOffboarding, TenantStatus::kErasing, TenantStatus::kErased}) {
    EXPECT_FALSE(is_served(status));
  }
}

}  // namespace
}  // namespace partywall
