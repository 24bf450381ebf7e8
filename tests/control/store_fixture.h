#pragma once

#include <gtest/gtest.h>

#include "store/control/control_store.h"
#include "store/control/records.h"

// Tests of the control store on a real PostgreSQL; tests/e2e/control/test_store.py starts one and
// runs them.
namespace partywall::store {

// "address port user password database" in PARTYWALL_TEST_STORE.
postgres::ConnectionSettings test_connection();
SealingKey test_key(char byte = 'k');

TenantId tenant_id(uint64_t number);
// On tier "free", in cell "main", active; slug "t<number>".
TenantRecord make_tenant(uint64_t number);
// Shared, with a database, a Redis and a pool "web".
CellRecord make_cell(std::string name);

// An empty store, with the shipped tiers, the cell "main" and context key 1 if asked for.
class StoreTest : public testing::Test {
 protected:
  StoreTest();
  // A database of its own is not needed: the schema is made anew for each test.
  static void recreate_schema();
  void add_basics();

  ControlStore another_store() { return ControlStore({test_connection(), test_key()}, random_); }
  postgres::Connection plain_connection();
  uint64_t version();

  static Author author() { return {.actor = "test", .reason = "because"}; }

  template <class Work>
  auto change(Work work) {
    return store_.change(author(), work);
  }

  SystemRandom random_;
  ControlStore store_{{test_connection(), test_key()}, random_};
};

}  // namespace partywall::store
