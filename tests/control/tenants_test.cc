#include "store/control/tenants.h"

#include "control/store_fixture.h"
#include "store/control/access.h"
#include "store/control/cell_caches.h"
#include "store/control/cells.h"
#include "store/control/events.h"
#include "store/control/tiers.h"
#include "tenancy/cache_tag.h"

namespace partywall::store {
namespace {

class TenantsTest : public StoreTest {
 protected:
  TenantsTest() { add_basics(); }

  void insert(const TenantRecord& tenant) {
    const auto done = change([&](Change& change) { return insert_tenant(change, tenant); });
    ASSERT_TRUE(done) << done.error().message;
  }
  Result<> try_insert(const TenantRecord& tenant) {
    return change([&](Change& change) { return insert_tenant(change, tenant); });
  }
  TenantRecord get(std::string_view name) {
    auto session = store_.session();
    return find_tenant(*session, name).value();
  }
};

TenantRecord full_tenant() {
  TenantRecord tenant = make_tenant(1);
  tenant.region = "eu";
  tenant.legal_hold = true;
  tenant.grace_ends_at = WallTime(milliseconds(1'800'000'000'123));
  tenant.overrides.push_back({.term = "max_db_connections",
                              .value = JsonValue(int64_t{7}),
                              .expires_at = WallTime(milliseconds(1'900'000'000'456)),
                              .reason = "a busy \"week\""});
  tenant.sql_logins.push_back({.user = "t1", .verifier = "SCRAM-SHA-256$1:x$y:z"});
  tenant.sql_logins.push_back({.user = "t1.reporting", .verifier = "SCRAM-SHA-256$1:a$b:c"});
  tenant.cache_logins.push_back({.user = "t1", .secret_sha256 = {1, 2, 3}});
  return tenant;
}

TEST_F(TenantsTest, ATenantIsReadAsItWasWritten) {
  TenantRecord written = full_tenant();
  insert(written);
  written.placement->cache_instance = "main";  // the first, which was meant
  const TenantRecord read = get("t1");
  EXPECT_EQ(read.id, written.id);
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.tier, written.tier);
  EXPECT_EQ(read.region, written.region);
  EXPECT_EQ(read.status, written.status);
  EXPECT_EQ(read.legal_hold, written.legal_hold);
  EXPECT_EQ(read.grace_ends_at, written.grace_ends_at);
  EXPECT_EQ(read.placement, written.placement);
  EXPECT_EQ(read.target, std::nullopt);
  EXPECT_EQ(read.overrides, written.overrides);
  ASSERT_EQ(read.sql_logins.size(), 2u);
  EXPECT_EQ(read.sql_logins[1].user, "t1.reporting");
  EXPECT_EQ(read.sql_logins[1].verifier, "SCRAM-SHA-256$1:a$b:c");
  EXPECT_EQ(read.sql_logins[1].tenant, written.id);
  ASSERT_EQ(read.cache_logins.size(), 1u);
  EXPECT_EQ(read.cache_logins[0].secret_sha256, written.cache_logins[0].secret_sha256);
  EXPECT_EQ(read.version, version());
}

TEST_F(TenantsTest, NamesAreDataWhateverTheyHold) {
  TenantRecord tenant = make_tenant(1);
  tenant.name = "'; DROP SCHEMA partywall CASCADE; -- \"\\ $1 \n é";
  insert(tenant);
  EXPECT_EQ(get("t1").name, tenant.name);
  const auto session = store_.session();
  Session reader = *session;
  EXPECT_EQ(find_tenant(reader, "' OR true --").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(list_tenants(reader, {.text = "' OR '1'='1"}, {}, 10)->size(), 0u);
}

TEST_F(TenantsTest, EveryChangeHasAVersionOfItsOwnAndChangesTheTenants) {
  insert(make_tenant(1));
  insert(make_tenant(2));
  uint64_t before = get("t1").version;
  const auto changes = [&](auto work) {
    const auto done = change(work);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(version(), before + 1) << "one transaction, one version";
    EXPECT_EQ(get("t1").version, before + 1);
    ++before;
  };
  before = version();
  const TenantId id = tenant_id(1);
  changes([&](Change& change) { return update_tenant(change, id, {.name = "New"}); });
  changes([&](Change& change) {
    return set_tenant_state(change, id, TenantStatus::kSuspended, false, {}, "tenant.suspended");
  });
  changes([&](Change& change) {
    return set_placement(change, id, Placement{.cell = "main", .cache_database = 9}, {});
  });
  changes([&](Change& change) {
    return set_override(change, id, {.term = "weight", .value = JsonValue(int64_t{9})});
  });
  changes([&](Change& change) { return remove_override(change, id, "weight"); });
  changes(
      [&](Change& change) { return put_sql_login(change, id, {.user = "t1", .verifier = "v"}); });
  changes([&](Change& change) { return put_cache_login(change, id, {.user = "t1"}); });
  changes([&](Change& change) { return remove_sql_login(change, id, "t1"); });
  changes([&](Change& change) { return remove_cache_login(change, id, "t1"); });
  EXPECT_EQ(get("t2").version + 9, before) << "the neighbour is as it was";
}

TEST_F(TenantsTest, AnUpdateInsistsOnTheVersionThatWasSeen) {
  insert(make_tenant(1));
  const uint64_t seen = get("t1").version;
  const auto rename = [&](std::string name) {
    return change(
        [&](Change& change) { return update_tenant(change, tenant_id(1), {.name = name}, seen); });
  };
  EXPECT_TRUE(rename("first"));
  EXPECT_EQ(rename("second").error().kind, ErrorKind::kConflict);
  EXPECT_EQ(get("t1").name, "first");
}

TEST_F(TenantsTest, WhatBelongsToOneTenantIsNoOthers) {
  insert(full_tenant());
  TenantRecord other = make_tenant(2);
  const auto refused = [&](const TenantRecord& tenant) {
    const auto done = try_insert(tenant);
    return done ? "accepted" : done.error().message;
  };
  other.slug = "t1";
  EXPECT_EQ(refused(other), "tenant t1: the slug is taken by another tenant");
  other = make_tenant(2);
  other.placement->cache_database = 1;
  EXPECT_EQ(refused(other), "cell main: that Redis database belongs to another tenant");
  other = make_tenant(2);
  other.sql_logins.push_back({.user = "t1.reporting", .verifier = "mine now"});
  EXPECT_THAT(refused(other), testing::HasSubstr("'t1.reporting' is no login of tenant t2"));
  other.sql_logins[0].user = "t1";
  EXPECT_THAT(refused(other), testing::HasSubstr("'t1' is no login of tenant t2"));
  EXPECT_EQ(get("t1").sql_logins[1].verifier, "SCRAM-SHA-256$1:a$b:c");
  auto session = store_.session();
  EXPECT_EQ(count_tenants(*session, {}).value(), 1u) << "nothing of what was refused stays";
}

TEST_F(TenantsTest, TwoCellsWithOneRedisShareItsDatabases) {
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, make_cell("second")); }));
  insert(make_tenant(1));
  TenantRecord other = make_tenant(2);
  other.placement = Placement{.cell = "second", .cache_database = 1};
  EXPECT_EQ(try_insert(other).error().kind, ErrorKind::kConflict);
  auto session = store_.session();
  EXPECT_EQ(cache_uses(*session, "second").value().at(0).databases, std::set<uint32_t>{1});
  // Nor can the cells be brought together afterwards.
  CellRecord elsewhere = make_cell("third");
  elsewhere.cell.cache.instances.at(0).endpoints.at(0).port = 6380;
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, elsewhere); }));
  other.placement->cell = "third";
  insert(other);
  elsewhere.cell.cache.instances.at(0).endpoints.at(0).port = 6379;
  EXPECT_EQ(change([&](Change& change) { return put_cell(change, elsewhere); }).error().kind,
            ErrorKind::kConflict);
}

CellRecord cell_with_two_caches(CacheMode mode) {
  CellRecord record = make_cell("pair");
  record.cell.cache.mode = mode;
  record.cell.cache.instances = {{.name = "first", .endpoints = {{"127.0.0.1", 7001}}},
                                 {.name = "second", .endpoints = {{"127.0.0.1", 7002}}}};
  return record;
}

TEST_F(TenantsTest, EachOfSeveralCachesHasItsOwnDatabases) {
  const CellRecord cell = cell_with_two_caches(CacheMode::kDatabase);
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  const auto tenant_at = [](uint64_t number, std::string instance, uint32_t database) {
    TenantRecord tenant = make_tenant(number);
    tenant.placement = Placement{
        .cell = "pair", .cache_instance = std::move(instance), .cache_database = database};
    return tenant;
  };
  insert(tenant_at(1, "first", 3));
  insert(tenant_at(2, "second", 3));
  EXPECT_EQ(try_insert(tenant_at(3, "second", 3)).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(try_insert(tenant_at(4, "", 3)).error().kind, ErrorKind::kConflict) << "the first";
  EXPECT_EQ(try_insert(tenant_at(5, "third", 4)).error().message,
            "cell pair: cell pair has no cache named third, which holds a tenant's keys");
  auto session = store_.session();
  EXPECT_EQ(effective_tenant(get("t2"), find_tier(*session, "free")->tier)->cache_instance,
            "second");
  const auto uses = cache_uses(*session, "pair").value();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[1].tenants, 1u);
}

TEST_F(TenantsTest, NoTwoTenantsKeysBeginAlike) {
  const CellRecord cell = cell_with_two_caches(CacheMode::kPrefix);
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  const auto tenant_with = [](uint64_t number, std::string tag) {
    TenantRecord tenant = make_tenant(number);
    tenant.placement = Placement{.cell = "pair",
                                 .cache_instance = "first",
                                 .cache_tag = std::move(tag),
                                 .cache_placement = CachePlacement::kSpread};
    return tenant;
  };
  insert(tenant_with(1, "shop"));
  insert(tenant_with(2, ""));
  EXPECT_EQ(try_insert(tenant_with(3, "shop")).error().message,
            "cell pair: keys of another tenant in that Redis begin with the same tag");
  const std::string id = tenant_id(2).value().to_string();
  EXPECT_EQ(try_insert(tenant_with(4, id)).error().kind, ErrorKind::kConflict) << "2's own";
  EXPECT_EQ(try_insert(tenant_with(5, "a*")).error().kind, ErrorKind::kInvalid);
  auto session = store_.session();
  const Tenant tenant = effective_tenant(get("t1"), find_tier(*session, "free")->tier).value();
  EXPECT_EQ(tenant.cache_tag, "shop");
  EXPECT_EQ(tenant.cache_placement, CachePlacement::kSpread);
}

TEST_F(TenantsTest, AShortTagIsNobodysAndNeverComesAgain) {
  const CellRecord cell = cell_with_two_caches(CacheMode::kPrefix);
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  // An operator has chosen the one that comes second.
  TenantRecord tenant = make_tenant(1);
  tenant.placement =
      Placement{.cell = "pair", .cache_instance = "second", .cache_tag = short_cache_tag(1)};
  insert(tenant);
  auto session = store_.session();
  EXPECT_EQ(next_cache_tag(*session).value(), short_cache_tag(0));
  EXPECT_EQ(next_cache_tag(*session).value(), short_cache_tag(2));
  // Not even where what it was given out for was not done.
  std::string lost;
  EXPECT_FALSE(change([&](Change& change) -> Result<> {
    lost = next_cache_tag(change).value();
    return fail(ErrorKind::kInvalid, "no");
  }));
  EXPECT_EQ(lost, short_cache_tag(3));
  EXPECT_EQ(next_cache_tag(*session).value(), short_cache_tag(4));
}

// What A's tier grants never reaches into B's databases.
TEST_F(TenantsTest, ALimitThatGrowsStopsBeforeTheNextTenantsDatabase) {
  TenantRecord first = make_tenant(1);
  first.placement->cache_databases = 2;
  insert(first);
  EXPECT_EQ(try_insert(make_tenant(2)).error().kind, ErrorKind::kConflict) << "1's second one";
  insert(make_tenant(4));
  const auto databases = [&](std::string_view slug) {
    auto session = store_.session();
    return effective_tenant(get(slug), find_tier(*session, "free")->tier)->limits.cache_databases;
  };
  EXPECT_EQ(databases("t1"), 1u) << "the tier's limit";
  const auto grow = [&](uint64_t number, int64_t to) {
    const auto done = change([&](Change& change) {
      return set_override(change, tenant_id(number),
                          {.term = "cache_databases", .value = JsonValue(to)});
    });
    ASSERT_TRUE(done) << done.error().message;
  };
  grow(1, 16);
  EXPECT_EQ(databases("t1"), 3u) << "1, 2 and 3; 4 is the neighbour's";
  grow(4, 16);
  EXPECT_EQ(databases("t4"), 16u);
  EXPECT_EQ(try_insert(make_tenant(19)).error().kind, ErrorKind::kConflict);
  insert(make_tenant(20));
  ASSERT_TRUE(change(
      [&](Change& change) { return remove_override(change, tenant_id(4), "cache_databases"); }));
  EXPECT_EQ(databases("t4"), 1u);
  EXPECT_EQ(try_insert(make_tenant(19)).error().kind, ErrorKind::kConflict) << "it may hold keys";
}

TEST_F(TenantsTest, ATierThatGrowsGivesWhatIsFree) {
  insert(make_tenant(1));
  insert(make_tenant(3));
  auto session = store_.session();
  Tier tier = find_tier(*session, "free")->tier;
  tier.limits.cache_databases = 4;
  ASSERT_TRUE(change([&](Change& change) { return put_tier(change, tier); }));
  EXPECT_EQ(effective_tenant(get("t1"), tier)->limits.cache_databases, 2u);
  EXPECT_EQ(effective_tenant(get("t3"), tier)->limits.cache_databases, 4u);
}

TEST_F(TenantsTest, ACellThatGetsACacheGivesEachTenantADatabaseOfItsOwn) {
  CellRecord cell = make_cell("late");
  const CacheBackend cache = std::exchange(cell.cell.cache, {});
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  insert(make_tenant(0));  // in the same Redis
  for (const uint64_t number : {1, 2}) {
    TenantRecord tenant = make_tenant(number);
    tenant.placement = Placement{.cell = "late"};
    insert(tenant);
  }
  cell.cell.cache = cache;
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  EXPECT_EQ(get("t1").placement->cache_database, 1u);
  EXPECT_EQ(get("t2").placement->cache_database, 2u);
  TenantRecord without = make_tenant(3);
  without.placement = Placement{.cell = "late"};
  EXPECT_EQ(try_insert(without).error().message,
            "cell late: a tenant in cell late needs a database in its cache");
}

TEST_F(TenantsTest, ACacheThatHoldsKeysStaysAsItIs) {
  insert(make_tenant(1));
  const auto refused = [&](const CellRecord& cell) {
    const auto put = change([&](Change& change) { return put_cell(change, cell); });
    return put ? "accepted" : put.error().message;
  };
  CellRecord cell = make_cell("main");
  cell.cell.cache.mode = CacheMode::kPrefix;
  EXPECT_THAT(refused(cell), testing::HasSubstr("one Redis has one mode"));
  cell.cell.name = "other";
  EXPECT_THAT(refused(cell), testing::HasSubstr("one Redis has one mode"));
  cell = make_cell("main");
  cell.cell.cache.instances.clear();
  EXPECT_THAT(refused(cell), testing::HasSubstr("has no cache named main"));
}

TEST_F(TenantsTest, ADedicatedCellHoldsOneTenant) {
  CellRecord cell = make_cell("own");
  cell.cell.kind = CellKind::kDedicated;
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  TenantRecord first = make_tenant(1);
  TenantRecord second = make_tenant(2);
  first.placement->cell = second.placement->cell = "own";
  insert(first);
  EXPECT_EQ(try_insert(second).error().message,
            "cell own: that dedicated cell holds another tenant");
  second.placement = Placement{.cell = "main", .cache_database = 5};
  second.target = Placement{.cell = "own", .cache_database = 2};
  EXPECT_EQ(try_insert(second).error().kind, ErrorKind::kConflict) << "nor on its way there";
}

TEST_F(TenantsTest, PagesCoverEverybodyOnceWhileOthersComeAndGo) {
  for (uint64_t number = 0; number < 25; ++number) insert(make_tenant(number));
  auto session = store_.session();
  std::vector<std::string> seen;
  TenantCursor cursor;
  for (int page = 0; page < 10; ++page) {
    const auto tenants = list_tenants(*session, {}, cursor, 4).value();
    if (tenants.empty()) break;
    for (const TenantRecord& tenant : tenants) seen.push_back(tenant.slug);
    cursor = {tenants.back().slug, tenants.back().id};
    if (page == 1) insert(make_tenant(100));  // before the cursor
  }
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(list_tenants(*session, {.text = "TENANT 2"}, {}, 100)->size(), 6u);
  EXPECT_EQ(list_tenants(*session, {.status = TenantStatus::kSuspended}, {}, 100)->size(), 0u);
  EXPECT_EQ(list_tenants(*session, {.tier = "free", .cell = "main"}, {}, 100)->size(), 26u);
}

TEST_F(TenantsTest, AnErasedTenantsSlugIsFreeAgain) {
  insert(make_tenant(1));
  ASSERT_TRUE(change([&](Change& change) -> Result<> {
    if (auto set = set_placement(change, tenant_id(1), {}, {}); !set) return set;
    return set_tenant_state(change, tenant_id(1), TenantStatus::kErased, false, {},
                            "tenant.erased");
  }));
  TenantRecord next = make_tenant(2);
  next.slug = "t1";
  insert(next);
  EXPECT_EQ(get("t1").id, next.id);
  EXPECT_EQ(get(tenant_id(1).value().to_string()).status, TenantStatus::kErased);
}

TEST_F(TenantsTest, ExpiredOverridesGo) {
  TenantRecord tenant = make_tenant(1);
  tenant.overrides = {
      {.term = "weight", .value = JsonValue(int64_t{5}), .expires_at = WallTime(seconds(1))},
      {.term = "cache_keys", .value = JsonValue(int64_t{5})}};
  insert(tenant);
  const auto removed = change([](Change& change) { return remove_expired_overrides(change); });
  EXPECT_EQ(removed.value(), 1u);
  ASSERT_EQ(get("t1").overrides.size(), 1u);
  EXPECT_EQ(get("t1").overrides[0].term, "cache_keys");
}

TEST_F(TenantsTest, EffectiveLimitsAreTheTiersWithTheOverrides) {
  insert(full_tenant());
  auto session = store_.session();
  const Tenant tenant = effective_tenant(get("t1"), find_tier(*session, "free")->tier).value();
  EXPECT_EQ(tenant.limits.max_db_connections, 7u);
  EXPECT_EQ(tenant.limits.max_concurrent_requests, 10u);
  EXPECT_EQ(tenant.cell, "main");
  EXPECT_EQ(tenant.cache_database, 1u);
}

TEST_F(TenantsTest, LoginsAndSlugsAreOneNameSpace) {
  ASSERT_TRUE(change([](Change& change) {
    return put_sql_login(change, {.user = "shop.web",
                                  .login_class = LoginClass::kApplication,
                                  .verifier = "v",
                                  .cell = "main"});
  }));
  TenantRecord tenant = make_tenant(1);
  tenant.slug = "shop";
  EXPECT_EQ(try_insert(tenant).error().kind, ErrorKind::kConflict);
  insert(make_tenant(2));
  EXPECT_EQ(
      change([](Change& change) { return put_cache_login(change, CacheLogin{.user = "t2.app"}); })
          .error()
          .kind,
      ErrorKind::kConflict);
}

TEST_F(TenantsTest, WhoAndWhyIsKeptWithEachChange) {
  insert(make_tenant(1));
  ASSERT_TRUE(change([](Change& change) {
    return set_tenant_state(change, tenant_id(1), TenantStatus::kSuspended, true, {},
                            "tenant.suspended");
  }));
  auto session = store_.session();
  const auto entries = audit_outbox(*session, 1'000).value();
  const AuditEntry& last = entries.back();
  EXPECT_EQ(last.event.type, "tenant.suspended");
  EXPECT_EQ(last.event.actor, "test");
  EXPECT_EQ(last.reason, "because");
  EXPECT_EQ(last.event.tenant, tenant_id(1));
  EXPECT_EQ(*last.event.data.find_string("from"), "active");
  EXPECT_EQ(last.event.id, last_event(*session).value());
  for (size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(entries[i].event.id, static_cast<int64_t>(i + 1)) << "no gaps";
  EXPECT_EQ(events_after(*session, 0, {.type = "tenant.suspended"}, 10)->size(), 1u);
  EXPECT_EQ(events_after(*session, last.event.id, {}, 10)->size(), 0u);
}

TEST_F(TenantsTest, WhatFailsLeavesNothingBehind) {
  const uint64_t before = version();
  auto session = store_.session();
  const int64_t events = last_event(*session).value();
  const auto done = change([](Change& change) -> Result<> {
    if (auto inserted = insert_tenant(change, make_tenant(1)); !inserted) return inserted;
    return fail(ErrorKind::kInvalid, "thought better of it");
  });
  EXPECT_EQ(done.error().message, "thought better of it");
  EXPECT_EQ(version(), before);
  EXPECT_EQ(last_event(*session).value(), events);
  EXPECT_EQ(count_tenants(*session, {}).value(), 0u);
}

}  // namespace
}  // namespace partywall::store
