// What the control store keeps of a cell's PostgreSQL.
#include "control/store_fixture.h"
#include "store/control/cells.h"

namespace partywall::store {
namespace {

using CellSqlTest = StoreTest;

TEST_F(CellSqlTest, ComesBackWithItsLoginsAndTheirSecrets) {
  CellRecord cell = make_cell("second");
  cell.cell.sql.owner_role = "shop_owner";
  cell.cell.sql.owner_password = Secret("owner-secret");
  cell.cell.sql.provisioner_role = "provisioner";
  cell.cell.sql.provisioner_password = Secret("provisioner-secret");
  ASSERT_TRUE(change([&](Change& change) { return put_cell(change, cell); }));
  auto session = store_.session();
  const SqlBackend sql = find_cell(*session, "second").value().cell.sql;
  EXPECT_EQ(sql.owner_role, "shop_owner");
  EXPECT_TRUE(sql.owner_password.equals("owner-secret"));
  EXPECT_EQ(sql.provisioner_role, "provisioner");
  EXPECT_TRUE(sql.provisioner_password.equals("provisioner-secret"));
  EXPECT_TRUE(sql.slots.password.equals("slot-secret"));
}

}  // namespace
}  // namespace partywall::store
