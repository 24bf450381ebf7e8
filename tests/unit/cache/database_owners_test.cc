#include "cache/database_owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using testing::HasSubstr;

Tenant tenant(uint64_t id, std::string slug, uint32_t database, uint32_t databases) {
  Tenant made;
  made.id = TenantId(Uuid::from_halves(id, id));
  made.slug = std::move(slug);
  made.cache_database = database;
  made.limits.cache_databases = databases;
  return made;
}

const Tenant kAcme = tenant(1, "acme", 1, 2);
const Tenant kGlobex = tenant(2, "globex", 3, 1);

TEST(DatabaseOwners, ATenantGetsItsOwnAndEmptyDatabases) {
  const std::vector<Tenant> tenants = {kAcme, kGlobex};
  EXPECT_TRUE(check_databases_are_free(tenants, {}));
  EXPECT_TRUE(check_databases_are_free(
      tenants, {{1, {.keys = 5, .owner = kAcme.id}}, {3, {.keys = 0, .owner = kAcme.id}}}));
  // One that is brought along with all that is in it, and was not shared before.
  EXPECT_TRUE(check_databases_are_free(tenants, {{3, {.keys = 5, .owner = {}}}}));
}

TEST(DatabaseOwners, NobodyGetsADatabaseWithKeysOfAnother) {
  const DatabaseUses uses = {{3, {.keys = 5, .owner = kAcme.id}}};
  const auto known = check_databases_are_free(std::vector{kAcme, kGlobex}, uses);
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(known.error().message,
              HasSubstr("globex cannot have database 3: 5 keys of tenant acme"));
  const auto gone = check_databases_are_free(std::vector{kGlobex}, uses);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message, HasSubstr(kAcme.id.value().to_string()));
}

TEST(DatabaseOwners, WhatNobodyHasAnyMoreIsLeftBehind) {
  const std::vector<Tenant> tenants = {kAcme, kGlobex};
  const DatabaseUses left = left_behind(tenants, {{0, {.keys = 1, .owner = {}}},
                                                  {1, {.keys = 1, .owner = kAcme.id}},
                                                  {3, {.keys = 1, .owner = kAcme.id}},
                                                  {4, {.keys = 1, .owner = kAcme.id}},
                                                  {5, {.keys = 0, .owner = kAcme.id}}});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left.begin()->first, 4u);
}

}  // namespace
}  // namespace partywall::cache
