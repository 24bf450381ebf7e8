// Who gets the requests while instances join, leave, fail and recover: the balancer of one worker
// on a virtual clock.
#include <gtest/gtest.h>

#include "http/upstream/pool_load_board.h"
#include "http/upstream/retry_budget.h"
#include "http/upstream/worker_pools.h"

namespace partywall::http {
namespace {

constexpr TenantNumber kAcme(0);
constexpr TenantNumber kGlobex(1);
using Failure = OutlierRecord::Failure;

class BalanceTest : public testing::Test {
 protected:
  void SetUp() override { use({"a", "b", "c", "d"}); }

  // The pool has these instances from now on; new ones are judged by nobody yet.
  void use(const std::vector<std::string>& names) {
    DirectoryData data{.version = ++version};
    Cell cell{.name = "main"};
    Pool pool{.name = "web"};
    for (size_t i = 0; i < names.size(); ++i) {
      pool.instances.push_back({.id = names[i], .endpoint = {"10.0.0.1", 80}});
    }
    cell.pools.push_back(std::move(pool));
    data.cells.push_back(std::move(cell));
    auto built = Directory::build(std::move(data));
    ASSERT_TRUE(built) << built.error().message;
    directory = *built;
    pools.update(directory);
    group = pools.find(directory->cells()[0], "web");
  }
  UpstreamInstance& instance(std::string_view name) {
    for (const auto& each : group->instances()) {
      if (each->key().instance == name) return *each;
    }
    throw std::logic_error("no such instance");
  }
  void set(std::string_view name, Health health) { instance(name).health().set(health, now); }
  void set_all(Health health) {
    for (const auto& each : group->instances()) each->health().set(health, now);
  }
  // The share of each instance, in percent, while all are equally busy.
  std::map<std::string, double> shares() {
    constexpr int kPicks = 20'000;
    std::map<std::string, double> shares;
    for (int i = 0; i < kPicks; ++i) {
      const auto picked = group->pick(random, now);
      if (picked) shares[picked->key().instance] += 100.0 / kPicks;
    }
    return shares;
  }
  // The same as load settles: each request takes the same time, whoever serves it.
  std::map<std::string, uint32_t> settled_load(size_t under_way) {
    std::vector<InFlightUnit> units;
    for (size_t i = 0; i < under_way; ++i) units.emplace_back(group->pick(random, now));
    std::map<std::string, uint32_t> load;
    for (const auto& each : group->instances()) load[each->key().instance] = each->in_flight();
    return load;
  }
  bool fail(std::string_view name, Failure failure, TenantNumber tenant, int times = 1) {
    bool out = false;
    for (int i = 0; i < times; ++i) {
      out |= group->failed(instance(name), failure, tenant, now);
    }
    return out;
  }
  bool is_out(std::string_view name) { return instance(name).health().outlier.is_out(now); }

  uint64_t version = 0;
  MonotonicTime now{hours(1)};
  SeededRandom random{1};
  HealthRegistry registry;
  WorkerPools pools{registry};
  DirectoryRef directory;
  std::shared_ptr<InstanceGroup> group;
};

// Weight 0: it drains.
TEST_F(BalanceTest, OneThatDrainsGetsNothingAndCountsForNobody) {
  set_all(Health::kUp);
  for (const auto& each : group->instances()) each->set_weight(each->key().instance == "a" ? 0 : 1);
  EXPECT_FALSE(shares().contains("a"));
  set("b", Health::kDown);
  set("c", Health::kDown);
  set("d", Health::kDown);
  EXPECT_FALSE(group->has_healthy());
  EXPECT_EQ(group->pick(random, now), nullptr);
}

TEST_F(BalanceTest, TheLoadIsWhatIsUnderWayAndHowInstancesAreJudged) {
  set_all(Health::kUp);
  now += minutes(10);
  use({"a", "b", "c", "d", "new"});
  set("new", Health::kUp);
  set("d", Health::kDown);
  now += seconds(150);
  std::vector<InFlightUnit> units;
  for (int i = 0; i < 3; ++i) units.emplace_back(group->instances().front());
  units.pop_back();
  const auto load = pools.load("main", "web", now);
  ASSERT_TRUE(load);
  ASSERT_EQ(load->instances.size(), 5U);
  EXPECT_EQ(load->instances[0].in_flight, 2U);
  EXPECT_EQ(load->instances[0].begun, 3U);
  EXPECT_EQ(load->instances[0].ended, 1U);
  EXPECT_DOUBLE_EQ(load->instances[0].share, 1);
  EXPECT_EQ(load->instances[3].judgement, InstanceJudgement::kDown);
  EXPECT_NEAR(load->instances[4].share, 0.5, 0.01);
  EXPECT_FALSE(pools.load("main", "other", now));
}

TEST(PoolLoadBoard, SumsWhatTheWorkersWrote) {
  HealthRegistry registry;
  WorkerPools pools(registry);
  DirectoryData data{.version = 1};
  data.cells.push_back(
      {.name = "main",
       .pools = {{.name = "web", .instances = {{.id = "a", .endpoint = {"10.0.0.1", 80}}}}}});
  pools.update(*Directory::build(std::move(data)));
  const MonotonicTime now{hours(1)};
  PoolLoadBoard board(2);
  board.write(0, pools, now);
  EXPECT_FALSE(board.load("main", "web")) << "nobody had asked";
  board.measure("main", "web");
  const InFlightUnit unit(pools.find({.name = "main"}, "web")->instances().front());
  board.write(0, pools, now);
  EXPECT_FALSE(board.load("main", "web")) << "one worker has not said";
  board.write(1, pools, now + seconds(1));
  const auto load = board.load("main", "web");
  ASSERT_TRUE(load);
  EXPECT_EQ(load->at, now) << "as old as its oldest part";
  ASSERT_EQ(load->instances.size(), 1U);
  EXPECT_EQ(load->instances[0].in_flight, 2U);
}

TEST_F(BalanceTest, AllThatBeginTogetherHaveWholeShares) {
  set_all(Health::kUp);
  for (const auto& [name, share] : shares()) EXPECT_NEAR(share, 25, 2) << name;
}

TEST_F(BalanceTest, OneThatJoinsGrowsEvenlyFromATenth) {
  set_all(Health::kUp);
  now += minutes(10);
  use({"a", "b", "c", "d", "new"});
  set("new", Health::kUp);
  const auto load_of_new = [this] {
    const auto load = settled_load(4'100);
    return static_cast<double>(load.at("new")) / load.at("a");
  };
  EXPECT_NEAR(load_of_new(), 0.1, 0.03);
  now += seconds(75);  // a quarter
  EXPECT_NEAR(load_of_new(), 0.25, 0.05);
  now += seconds(75);
  EXPECT_NEAR(load_of_new(), 0.5, 0.05);
  now += seconds(150);
  EXPECT_NEAR(load_of_new(), 1.0, 0.05);
}

// The mistake of others: a second one that joins must not give the first everything, or nothing.
TEST_F(BalanceTest, AnotherOneThatJoinsChangesNobodysSchedule) {
  set_all(Health::kUp);
  now += minutes(10);
  use({"a", "b", "c", "d", "new"});
  set("new", Health::kUp);
  now += seconds(150);
  use({"a", "b", "c", "d", "new", "newer"});
  set("newer", Health::kUp);
  const auto load = settled_load(4'600);
  EXPECT_NEAR(static_cast<double>(load.at("new")) / load.at("a"), 0.5, 0.05);
  EXPECT_NEAR(static_cast<double>(load.at("newer")) / load.at("a"), 0.1, 0.03);
}

TEST_F(BalanceTest, OneThatRecoversStartsSlowlyToo) {
  set_all(Health::kUp);
  now += minutes(10);
  set("a", Health::kDown);
  EXPECT_FALSE(shares().contains("a"));
  now += seconds(5);
  set("a", Health::kUp);
  const auto load = settled_load(3'100);
  EXPECT_NEAR(static_cast<double>(load.at("a")) / load.at("b"), 0.1, 0.03);
}

// When nobody is left who is past the slow start, the ones that are there take all of it.
TEST_F(BalanceTest, WithoutASettledPeerThereIsNoSlowStart) {
  set_all(Health::kUp);
  now += minutes(10);
  use({"x", "y"});
  set("x", Health::kUp);
  now += seconds(100);
  set("y", Health::kUp);
  for (const auto& [name, share] : shares()) EXPECT_NEAR(share, 50, 2) << name;
  now += seconds(200);  // x has settled now, y is at two thirds
  const auto load = settled_load(500);
  EXPECT_NEAR(static_cast<double>(load.at("y")) / load.at("x"), 0.67, 0.05);
}

TEST_F(BalanceTest, AFlappingInstanceNeverGetsMoreThanItsShare) {
  set_all(Health::kUp);
  now += minutes(10);
  for (int i = 0; i < 50; ++i) {
    set("a", i % 2 == 0 ? Health::kDown : Health::kUp);
    const auto load = settled_load(310);
    EXPECT_LE(load.at("a"), i % 2 == 0 ? 0U : 20U);
    now += seconds(3);
  }
}

TEST_F(BalanceTest, RefusedConnectionsTakeAnInstanceOutAndTimeBringsItBack) {
  set_all(Health::kUp);
  EXPECT_FALSE(fail("a", Failure::kNoConnection, kAcme, 4));
  EXPECT_TRUE(fail("a", Failure::kNoConnection, kAcme));
  EXPECT_FALSE(shares().contains("a"));
  now += seconds(30);
  EXPECT_TRUE(shares().contains("a"));
  EXPECT_TRUE(fail("a", Failure::kNoConnection, kAcme, 5));
  now += seconds(59);
  EXPECT_TRUE(is_out("a")) << "twice as long the second time";
  now += seconds(1);
  EXPECT_FALSE(is_out("a"));
  now += minutes(6);  // of good conduct
  EXPECT_TRUE(fail("a", Failure::kNoConnection, kAcme, 5));
  now += seconds(30);
  EXPECT_FALSE(is_out("a"));
}

TEST_F(BalanceTest, ASuccessEndsARunOfFailures) {
  set_all(Health::kUp);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(fail("a", Failure::kNoConnection, kAcme, 4));
    InstanceGroup::succeeded(instance("a"));
  }
}

// The attack: acme's requests make instances break off, to take them from globex.
TEST_F(BalanceTest, OneTenantAloneTakesNoInstanceOut) {
  set_all(Health::kUp);
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_FALSE(fail(name, Failure::kBrokenExchange, kAcme, 1'000)) << name;
  }
  EXPECT_TRUE(fail("a", Failure::kBrokenExchange, kGlobex)) << "it happens to others as well";
}

TEST_F(BalanceTest, NoMoreThanHalfOfAPoolIsTakenOut) {
  set_all(Health::kUp);
  for (const char* name : {"a", "b", "c", "d"}) fail(name, Failure::kNoConnection, kAcme, 10);
  EXPECT_TRUE(is_out("a") && is_out("b"));
  EXPECT_FALSE(is_out("c") || is_out("d"));
  use({"a"});
  now += hours(1);
  EXPECT_FALSE(fail("a", Failure::kNoConnection, kAcme, 10)) << "the only one never";
}

TEST_F(BalanceTest, ACheckThatSucceedsAfterABadOneEndsTheRun) {
  set_all(Health::kUp);
  fail("a", Failure::kNoConnection, kAcme, 4);
  set("a", Health::kDown);
  set("a", Health::kUp);
  EXPECT_FALSE(fail("a", Failure::kNoConnection, kAcme));
}

TEST_F(BalanceTest, OneThatTheChecksFoundBadAndThenGoodIsNoLongerOut) {
  set_all(Health::kUp);
  fail("a", Failure::kNoConnection, kAcme, 5);
  EXPECT_TRUE(is_out("a"));
  set("a", Health::kUp);
  EXPECT_TRUE(is_out("a")) << "it was up all the time";
  set("a", Health::kDown);
  set("a", Health::kUp);
  EXPECT_FALSE(is_out("a"));
}

TEST_F(BalanceTest, WhenTooFewAreLeftAllAreTried) {
  set_all(Health::kUp);
  for (const char* name : {"a", "b"}) set(name, Health::kDown);
  EXPECT_EQ(shares().size(), 2U);
  set("c", Health::kDown);  // one of four is less than 30 %
  EXPECT_EQ(shares().size(), 4U);
  set("d", Health::kDown);
  EXPECT_EQ(group->pick(random, now), nullptr) << "the door says so at once";
}

TEST_F(BalanceTest, ThoseOutAreBetterThanNone) {
  set_all(Health::kUp);
  for (const char* name : {"a", "b"}) fail(name, Failure::kNoConnection, kAcme, 5);
  for (const char* name : {"c", "d"}) set(name, Health::kDown);
  EXPECT_NE(group->pick(random, now), nullptr);
}

TEST_F(BalanceTest, WhoWasNeverJudgedGetsNothingInAPanicEither) {
  set("a", Health::kUp);
  for (const char* name : {"b", "c", "d"}) set(name, Health::kDown);
  use({"a", "b", "c", "d", "unknown"});
  const auto tried = shares();
  EXPECT_TRUE(tried.contains("b"));
  EXPECT_FALSE(tried.contains("unknown"));
}

TEST(RetryBudgetTest, AFifthOfATenantsRequestsAndAReserve) {
  RetryBudgets budgets;
  int first = 0;
  while (budgets.spend(kAcme)) ++first;
  EXPECT_EQ(first, 10);
  int later = 0;
  for (int i = 0; i < 1'000; ++i) {
    budgets.earn(kAcme);
    later += budgets.spend(kAcme);
  }
  EXPECT_EQ(later, 200);
}

TEST(RetryBudgetTest, NobodySpendsWhatAnotherHasEarned) {
  RetryBudgets budgets;
  while (budgets.spend(kAcme)) {
  }
  EXPECT_TRUE(budgets.spend(kGlobex));
}

}  // namespace
}  // namespace partywall::http
