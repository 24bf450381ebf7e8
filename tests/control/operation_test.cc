#include <set>
#include <thread>

#include "control/controller.h"
#include "control/reconcilers.h"
#include "control/store_fixture.h"
#include "store/control/events.h"
#include "store/control/lease.h"
#include "store/control/tenants.h"

namespace partywall::control {
namespace {

using store::Change;
using store::Operation;
using store::OperationStatus;

// Counts what it is asked for, and fails as often as it is told to.
class FakeEngines final : public Engines {
 public:
  Result<> provision_cache(store::Session& /*session*/,
                           const store::CellRecord& /*cell*/) override {
    ++whole_cells;
    return {};
  }
  Result<> provision_tenant(store::Session& /*session*/, const store::CellRecord& /*cell*/,
                            const store::TenantRecord& /*tenant*/) override {
    ++calls;
    if (failures > 0) {
      --failures;
      return fail(ErrorKind::kUnavailable, "Redis is down");
    }
    return {};
  }

  int whole_cells = 0;
  int calls = 0;
  int failures = 0;
};

class OperationTest : public store::StoreTest {
 protected:
  OperationTest() { add_basics(); }

  void request(uint64_t number) {
    store::TenantRecord tenant = store::make_tenant(number);
    tenant.status = TenantStatus::kRequested;
    const auto done = change([&](Change& change) { return insert_tenant(change, tenant); });
    ASSERT_TRUE(done) << done.error().message;
  }
  int64_t lead(std::string_view holder = "me") {
    auto session = store_.session();
    return store::acquire_lease(*session, store::kControlLease, holder, 0, minutes(1))->fence;
  }
  TenantStatus status_of(uint64_t number) {
    auto session = store_.session();
    return find_tenant(*session, store::tenant_id(number))->status;
  }
  std::vector<Operation> operations() {
    auto session = store_.session();
    return list_operations(*session, {}, {}, {}, 1'000).value();
  }
  void make_everything_due() {
    plain_connection()
        .execute("UPDATE partywall.operations SET run_after = now() - interval '1 hour'")
        .value();
  }

  FakeEngines engines_;
  TenantProvisioning provisioning_{engines_};
  OperationRunner runner_{store_, {&provisioning_}, random_};
};

TEST_F(OperationTest, ARequestedTenantBecomesActiveStepByStep) {
  request(1);
  const int64_t fence = lead();
  EXPECT_EQ(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_).value(),
            1u);
  EXPECT_EQ(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_).value(),
            0u);
  EXPECT_EQ(runner_.run_due(author(), fence).value(), 1u);
  EXPECT_EQ(status_of(1), TenantStatus::kProvisioning);
  EXPECT_EQ(engines_.calls, 0);
  EXPECT_EQ(runner_.run_due(author(), fence).value(), 1u);
  EXPECT_EQ(engines_.calls, 1);
  EXPECT_EQ(status_of(1), TenantStatus::kProvisioning);
  EXPECT_EQ(runner_.run_due(author(), fence).value(), 1u);
  EXPECT_EQ(status_of(1), TenantStatus::kActive);
  EXPECT_EQ(runner_.run_due(author(), fence).value(), 0u);
  const Operation done = operations().at(0);
  EXPECT_EQ(done.status, OperationStatus::kDone);
  EXPECT_EQ(done.progress_done, done.progress_total);
}

TEST_F(OperationTest, AFailureIsTriedAgainLater) {
  request(1);
  const int64_t fence = lead();
  ASSERT_TRUE(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_));
  engines_.failures = 2;
  ASSERT_TRUE(runner_.run_due(author(), fence));
  ASSERT_TRUE(runner_.run_due(author(), fence));
  Operation waiting = operations().at(0);
  EXPECT_EQ(waiting.attempts, 1u);
  EXPECT_EQ(waiting.message, "Redis is down");
  EXPECT_EQ(waiting.step, "engines");
  for (int i = 0; i < 4; ++i) {
    make_everything_due();
    ASSERT_TRUE(runner_.run_due(author(), fence));
  }
  EXPECT_EQ(status_of(1), TenantStatus::kActive);
  EXPECT_EQ(engines_.calls, 3);
}

TEST_F(OperationTest, WhoLostTheLeaseWritesNothing) {
  request(1);
  const int64_t old_fence = lead("me");
  ASSERT_TRUE(start_forgotten_provisioning(store_, author(), old_fence, provisioning_, random_));
  plain_connection().execute("UPDATE partywall.leases SET expires_at = '-infinity'").value();
  const int64_t new_fence = lead("another");
  EXPECT_GT(new_fence, old_fence);
  const uint64_t version = this->version();
  EXPECT_EQ(runner_.run_due(author(), old_fence).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(operations().at(0).step, "start");
  EXPECT_EQ(this->version(), version);
  EXPECT_TRUE(runner_.run_due(author(), new_fence));
  EXPECT_EQ(operations().at(0).step, "engines");
}

// The old leader has checked its fence and is paused before its commit: the new one cannot take
// the lease until that transaction has ended one way or the other.
TEST_F(OperationTest, ATakeOverWaitsForAWriteThatHasBegun) {
  const int64_t fence = lead("me");
  std::thread other;
  std::atomic<bool> committed{false};
  const auto written = store_.change_as_leader(author(), fence, [&](Change& change) -> Result<> {
    other = std::thread([&] {
      SystemRandom random;
      store::ControlStore store({store::test_connection(), store::test_key()}, random);
      auto session = store.session();
      // As if the lease had run out long ago.
      const auto taken =
          session->execute("UPDATE partywall.leases SET holder = 'another', fence = fence + 1");
      EXPECT_TRUE(taken);
      EXPECT_TRUE(committed) << "the lease was taken under a writer's feet";
    });
    auto note = change.note("test.write", std::nullopt, "x", JsonValue(JsonObject()));
    // Until the other one really waits for our row.
    auto watcher = plain_connection();
    while (watcher
               .execute("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                        "query LIKE 'UPDATE partywall.leases%'")
               .value()
               .empty()) {
      std::this_thread::yield();
    }
    committed = true;
    return note;
  });
  other.join();
  EXPECT_TRUE(written);
}

TEST_F(OperationTest, OneOperationAtATimeWorksOnATenant) {
  request(1);
  const auto insert = [&] {
    return change([&](Change& change) {
      return insert_operation(change,
                              make_operation(provisioning_, store::tenant_id(1), "t1", random_));
    });
  };
  EXPECT_TRUE(insert());
  EXPECT_EQ(insert().error().kind, ErrorKind::kConflict);
}

TEST_F(OperationTest, ACancelledOperationStaysWhereItWas) {
  request(1);
  const int64_t fence = lead();
  ASSERT_TRUE(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_));
  const auto id = operations().at(0).id;
  EXPECT_TRUE(change([&](Change& change) { return cancel_operation(change, id); }));
  EXPECT_EQ(change([&](Change& change) { return cancel_operation(change, id); }).error().kind,
            ErrorKind::kConflict);
  EXPECT_EQ(runner_.run_due(author(), fence).value(), 0u);
  // And what is half done is taken up again: no tenant stays between two states.
  EXPECT_EQ(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_).value(),
            1u);
}

TEST_F(OperationTest, ATenantThatWasSuspendedMeanwhileIsNotActivated) {
  request(1);
  const int64_t fence = lead();
  ASSERT_TRUE(start_forgotten_provisioning(store_, author(), fence, provisioning_, random_));
  ASSERT_TRUE(runner_.run_due(author(), fence));
  ASSERT_TRUE(change([](Change& change) {
    return set_tenant_state(change, store::tenant_id(1), TenantStatus::kOffboarding, false, {},
                            "tenant.offboarding");
  }));
  for (int i = 0; i < 4; ++i) {
    make_everything_due();
    (void)runner_.run_due(author(), fence);
  }
  EXPECT_EQ(status_of(1), TenantStatus::kOffboarding);
}

// The process dies between any two statements: every write of a step is rolled back at a random
// place, as a crash does. Whatever happened, the tenant gets there, and never half.
TEST_F(OperationTest, StepsThatAreCutOffAreDoneAgain) {
  SeededRandom dice(6);
  for (uint64_t number = 1; number <= 5; ++number) request(number);
  const int64_t fence = lead();
  const auto killer = [&] {
    plain_connection()
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
            "pg_backend_pid() AND datname = current_database()")
        .value();
  };
  for (int round = 0; round < 200; ++round) {
    if (dice.below(3) == 0) killer();
    engines_.failures = static_cast<int>(dice.below(2));
    (void)start_forgotten_provisioning(store_, author(), fence, provisioning_, random_);
    make_everything_due();
    (void)runner_.run_due(author(), fence);
    const auto waiting =
        plain_connection().execute("SELECT FROM partywall.tenants WHERE status <> 'active'");
    if (waiting.value().empty()) break;
  }
  std::set<std::string> subjects;
  for (const Operation& operation : operations()) {
    EXPECT_EQ(operation.status, OperationStatus::kDone) << operation.message;
    EXPECT_TRUE(subjects.insert(operation.subject).second) << "one operation a tenant";
  }
  EXPECT_EQ(subjects.size(), 5u);
}

TEST_F(OperationTest, GracePeriodsEndUnlessALegalHoldStandsInTheWay) {
  const auto offboard = [&](uint64_t number, bool hold, WallTime until) {
    request(number);
    ASSERT_TRUE(change([&](Change& change) {
      return set_tenant_state(change, store::tenant_id(number), TenantStatus::kOffboarding, hold,
                              until, "tenant.offboarding");
    }));
  };
  const WallTime past(seconds(1));
  const WallTime future(seconds(100'000'000'000));
  offboard(1, false, past);
  offboard(2, true, past);
  offboard(3, false, future);
  const int64_t fence = lead();
  EXPECT_EQ(end_grace_periods(store_, author(), fence).value(), 1u);
  EXPECT_EQ(status_of(1), TenantStatus::kErasing);
  EXPECT_EQ(status_of(2), TenantStatus::kOffboarding);
  EXPECT_EQ(status_of(3), TenantStatus::kOffboarding);
}

TEST_F(OperationTest, AControllerDoesItAllByItself) {
  SystemTime time;
  Controller controller(
      {.store = {.connection = store::test_connection(), .node_key = store::test_key()},
       .name = "one"},
      engines_, time, random_);
  for (uint64_t number = 1; number <= 3; ++number) request(number);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto all_active = [&] {
    return status_of(1) == TenantStatus::kActive && status_of(2) == TenantStatus::kActive &&
           status_of(3) == TenantStatus::kActive;
  };
  while (!all_active() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(all_active());
  controller.stop();
  // It gave the lease back: the next one need not wait.
  auto session = store_.session();
  EXPECT_EQ(store::acquire_lease(*session, store::kControlLease, "next", 0, seconds(1))->holder,
            "next");
}

}  // namespace
}  // namespace partywall::control
