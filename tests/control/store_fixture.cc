#include "control/store_fixture.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "store/control/access.h"
#include "store/control/cells.h"
#include "store/control/migrate.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"
#include "tenancy/shipped_tiers.h"

namespace partywall::store {

postgres::ConnectionSettings test_connection() {
  const char* const given = std::getenv("PARTYWALL_TEST_STORE");
  if (!given) throw std::runtime_error("PARTYWALL_TEST_STORE is not set");
  std::istringstream words(given);
  postgres::ConnectionSettings settings;
  std::string password;
  words >> settings.endpoint.address >> settings.endpoint.port >> settings.user >> password >>
      settings.database;
  settings.password = Secret(password);
  settings.tls = postgres::TlsMode::kDisable;
  return settings;
}

SealingKey test_key(char byte) { return SealingKey::create(Secret(std::string(32, byte))).value(); }

TenantId tenant_id(uint64_t number) { return TenantId(Uuid::from_halves(0x4000, number)); }

TenantRecord make_tenant(uint64_t number) {
  TenantRecord tenant;
  tenant.id = tenant_id(number);
  tenant.slug = fmt::format("t{}", number);
  tenant.name = fmt::format("Tenant {}", number);
  tenant.tier = "free";
  tenant.status = TenantStatus::kActive;
  tenant.placement = Placement{.cell = "main", .cache_database = static_cast<uint32_t>(number)};
  return tenant;
}

CellRecord make_cell(std::string name) {
  CellRecord record;
  Cell& cell = record.cell;
  cell.name = std::move(name);
  cell.region = "eu";
  cell.sql.endpoint = {"127.0.0.1", 5432};
  cell.sql.database = "app";
  cell.sql.slots.password = Secret("slot-secret");
  cell.sql.register_key = Secret(std::string(64, 'r'));
  cell.cache.instances = {{.name = "main", .endpoints = {{"127.0.0.1", 6379}}}};
  cell.cache.door_user = "door";
  cell.cache.door_password = Secret("door-secret");
  cell.cache.tenant_password = Secret("tenant-secret");
  cell.pools.push_back({.name = "web"});
  return record;
}

StoreTest::StoreTest() { recreate_schema(); }

void StoreTest::recreate_schema() {
  auto connection = postgres::Connection::open(test_connection()).value();
  connection.execute_script("DROP SCHEMA IF EXISTS partywall CASCADE").value();
  migrate(connection).value();
}

void StoreTest::add_basics() {
  const auto done = change([&](Change& change) -> Result<> {
    for (const Tier& tier : shipped_tiers()) {
      if (auto put = put_tier(change, tier); !put) return put;
    }
    if (auto put = put_cell(change, make_cell("main")); !put) return put;
    return add_context_key(change, {.id = 1, .key = Secret(std::string(32, 'c'))});
  });
  ASSERT_TRUE(done) << done.error().message;
}

postgres::Connection StoreTest::plain_connection() {
  return postgres::Connection::open(test_connection()).value();
}

uint64_t StoreTest::version() {
  auto connection = plain_connection();
  return static_cast<uint64_t>(
      connection.execute("SELECT version FROM partywall.head").value().number(0));
}

}  // namespace partywall::store
