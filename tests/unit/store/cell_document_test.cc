#include "store/control/cell_document.h"

#include <gtest/gtest.h>

#include "base/json_writer.h"

namespace partywall::store {
namespace {

// What a document does not carry would be lost in the control store. Every member differs from its
// default, and a member that is new to one of these structures breaks the build here: give it a
// place in the document, and a value below.
Cell strange_cell() {
  Cell cell;
  auto& [name, kind, region, sql, cache, pools] = cell;
  name = "strange";
  kind = CellKind::kDedicated;
  region = "eu";
  auto& [endpoint, database, slots, register_key, register_key_id, allow_temp, owner_role,
         owner_password, provisioner_role, provisioner_password] = sql;
  endpoint = {"10.0.0.1", 5433};
  database = "app";
  auto& [prefix, count, slot_password] = slots;
  prefix = "slot_";
  count = 7;
  slot_password = Secret("slots");
  register_key = Secret("register\0key");
  register_key_id = 9;
  allow_temp = true;
  owner_role = "owner";
  owner_password = Secret("owner-password");
  provisioner_role = "provisioner";
  provisioner_password = Secret("provisioner-password");
  cache.instances = {{.name = "one",
                      .topology = CacheTopology::kSentinel,
                      .endpoints = {{"10.0.0.2", 6380}, {"10.0.0.3", 6381}},
                      .primary_name = "primary"}};
  cache.tls = TlsClientSettings{.ca_file = "ca",
                                .server_name = "name",
                                .certificate_file = "certificate",
                                .private_key_file = "key"};
  cache.door_user = "door";
  cache.door_password = Secret("door-password");
  cache.tenant_password = Secret("tenant-password");
  cache.previous_door_password = Secret("previous-door");
  cache.previous_tenant_password = Secret("previous-tenant");
  cache.sentinel_user = "sentinel";
  cache.sentinel_password = Secret("sentinel-password");
  cache.administrator = "administrator";
  cache.administrator_password = Secret("administrator-password");
  HealthCheck health;
  auto& [path, interval, timeout, rise, fall] = health;
  path = "/up";
  interval = milliseconds(1'500);
  timeout = milliseconds(900);
  rise = 8;
  fall = 9;
  pools = {{.name = "web", .health = health, .instances = {{"a", {"10.0.0.4", 80}, 3}}},
           {.name = "given", .is_provided = true}};
  return cell;
}

class CellDocumentTest : public testing::Test {
 protected:
  [[nodiscard]] JsonValue document_of(const Cell& cell) {
    return JsonValue(JsonObject{
        {"name", JsonValue(cell.name)},
        {"kind",
         JsonValue(std::string(cell.kind == CellKind::kDedicated ? "dedicated" : "shared"))},
        {"region", JsonValue(cell.region)},
        {"state", JsonValue(std::string("draining"))},
        {"max_tenants", JsonValue(int64_t{5})},
        {"parts", cell_parts(cell)},
        {"secrets", sealed_cell_secrets(cell, key_, random_)},
        {"version", JsonValue(int64_t{6})}});
  }

  SeededRandom random_{1};
  SealingKey key_ = SealingKey::create(Secret(std::string(32, 'k'))).value();
};

void expect_same(const Secret& a, const Secret& b) { EXPECT_TRUE(a.equals(b.reveal())); }

TEST_F(CellDocumentTest, NothingOfACellIsLost) {
  const Cell written = strange_cell();
  const auto record = read_cell_document(document_of(written), key_);
  ASSERT_TRUE(record) << record.error().message;
  const Cell& read = record->cell;
  EXPECT_EQ(record->state, "draining");
  EXPECT_EQ(record->max_tenants, 5u);
  EXPECT_EQ(record->version, 6u);
  EXPECT_EQ(read.kind, written.kind);
  // The documents are the same, so everything that is in them came through.
  EXPECT_EQ(cell_parts(read), cell_parts(written));
  EXPECT_EQ(read.cache.instances, written.cache.instances);
  EXPECT_EQ(read.cache.tls, written.cache.tls);
  EXPECT_EQ(read.sql.endpoint, written.sql.endpoint);
  EXPECT_EQ(read.sql.provisioner_role, written.sql.provisioner_role);
  expect_same(read.sql.slots.password, written.sql.slots.password);
  expect_same(read.sql.register_key, written.sql.register_key);
  expect_same(read.sql.owner_password, written.sql.owner_password);
  expect_same(read.sql.provisioner_password, written.sql.provisioner_password);
  expect_same(read.cache.door_password, written.cache.door_password);
  expect_same(read.cache.tenant_password, written.cache.tenant_password);
  expect_same(read.cache.previous_door_password, written.cache.previous_door_password);
  expect_same(read.cache.previous_tenant_password, written.cache.previous_tenant_password);
  expect_same(read.cache.sentinel_password, written.cache.sentinel_password);
  expect_same(read.cache.administrator_password, written.cache.administrator_password);
}

TEST_F(CellDocumentTest, SecretsAreNoPartOfWhatCanBeRead) {
  const std::string text = to_json_text(document_of(strange_cell()));
  for (const std::string_view secret :
       {"owner-password", "door-password", "tenant-password", "administrator-password"})
    EXPECT_FALSE(text.contains(secret)) << secret;
}

TEST_F(CellDocumentTest, ADocumentOfAnotherKindIsRefused) {
  EXPECT_FALSE(read_cell_document(JsonValue(JsonObject()), key_));
  EXPECT_FALSE(read_cell_document(JsonValue(std::string("x")), key_));
}

}  // namespace
}  // namespace partywall::store
