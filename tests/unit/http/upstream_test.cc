#include "http/upstream/health_checker.h"
#include "http/upstream/worker_pools.h"
#include "support/simulated_loop.h"

namespace partywall::http {
namespace {

using test::SimulatedLoop;

constexpr ConnectionReuse kReuse{};

DirectoryRef directory_with(std::vector<Instance> instances, uint64_t version = 1,
                            HealthCheck health = {}) {
  Cell cell;
  cell.name = "main";
  cell.pools.push_back(
      {.name = "web", .health = std::move(health), .instances = std::move(instances)});
  DirectoryData data;
  data.version = version;
  data.cells.push_back(std::move(cell));
  return Directory::build(std::move(data)).value();
}

Instance instance(std::string id, uint16_t port, uint32_t weight = 1) {
  return {.id = std::move(id), .endpoint = {"10.0.0.9", port}, .weight = weight};
}

TEST(HealthTrackerTest, RisesAndFallsOnlyOnRunsOfResults) {
  HealthTracker tracker(3, 2);
  EXPECT_EQ(tracker.record_success(), Health::kUnknown);
  EXPECT_EQ(tracker.record_success(), Health::kUnknown);
  EXPECT_EQ(tracker.record_failure(), Health::kUnknown);
  EXPECT_EQ(tracker.record_success(), Health::kUnknown);
  EXPECT_EQ(tracker.record_success(), Health::kUnknown);
  EXPECT_EQ(tracker.record_success(), Health::kUp);
  EXPECT_EQ(tracker.record_failure(), Health::kUp);
  EXPECT_EQ(tracker.record_success(), Health::kUp);
  EXPECT_EQ(tracker.record_failure(), Health::kUp);
  EXPECT_EQ(tracker.record_failure(), Health::kDown);
}

class InstanceGroupTest : public ::testing::Test {
 protected:
  void use(std::vector<Instance> instances, std::vector<Health> health) {
    directory = directory_with(std::move(instances));
    pools.update(directory);
    group = pools.find(directory->cells()[0], "web");
    for (size_t i = 0; i < health.size(); ++i) {
      const auto& cell = directory->cells()[0];
      registry.of(key_of(cell, cell.pools[0], cell.pools[0].instances[i]))->set(health[i]);
    }
  }

  std::map<std::string, int> pick_many(int count, const UpstreamInstance* except = nullptr) {
    std::map<std::string, int> picks;
    for (int i = 0; i < count; ++i) ++picks[group->pick(random, now, except)->key().instance];
    return picks;
  }

  MonotonicTime now{hours(1)};
  SeededRandom random{1};
  HealthRegistry registry;
  WorkerPools pools{registry};
  DirectoryRef directory;
  std::shared_ptr<InstanceGroup> group;
};

TEST_F(InstanceGroupTest, OnlyHealthyInstancesArePicked) {
  use({instance("a", 1), instance("b", 2), instance("c", 3)},
      {Health::kUp, Health::kDown, Health::kUnknown});
  EXPECT_EQ(pick_many(100), (std::map<std::string, int>{{"a", 100}}));
}

TEST_F(InstanceGroupTest, WithoutAHealthyInstanceThereIsNone) {
  use({instance("a", 1)}, {Health::kDown});
  EXPECT_EQ(group->pick(random, now), nullptr);
  EXPECT_EQ(pools.find(directory->cells()[0], "worker"), nullptr);
}

TEST_F(InstanceGroupTest, TheLessLoadedOfTwoGetsTheRequest) {
  use({instance("a", 1), instance("b", 2)}, {Health::kUp, Health::kUp});
  std::vector<InFlightUnit> busy;
  for (int i = 0; i < 10; ++i) busy.emplace_back(group->instances()[0]);
  EXPECT_EQ(pick_many(100), (std::map<std::string, int>{{"b", 100}}));
}

TEST_F(InstanceGroupTest, LoadFollowsTheWeights) {
  use({instance("a", 1, 1), instance("b", 2, 3)}, {Health::kUp, Health::kUp});
  std::vector<InFlightUnit> busy;
  for (int i = 0; i < 400; ++i) busy.emplace_back(group->pick(random, now));
  EXPECT_NEAR(group->instances()[0]->in_flight(), 100, 10);
  EXPECT_NEAR(group->instances()[1]->in_flight(), 300, 10);
}

TEST_F(InstanceGroupTest, ARetryGoesElsewhereIfThereIsAnElsewhere) {
  use({instance("a", 1), instance("b", 2)}, {Health::kUp, Health::kUp});
  EXPECT_EQ(pick_many(50, group->instances()[0].get()), (std::map<std::string, int>{{"b", 50}}));
  use({instance("a", 1)}, {Health::kUp});
  EXPECT_EQ(pick_many(50, group->instances()[0].get()), (std::map<std::string, int>{{"a", 50}}));
}

TEST_F(InstanceGroupTest, ARetryTriesOneNotYetJudgedBeforeTheOneThatFailed) {
  for (const Health other : {Health::kUnknown, Health::kDown}) {
    use({instance("a", 1), instance("b", 2)}, {Health::kUp, other});
    EXPECT_EQ(pick_many(50, group->instances()[0].get()), (std::map<std::string, int>{{"b", 50}}));
  }
}

TEST_F(InstanceGroupTest, UnitsGiveThemselvesBack) {
  use({instance("a", 1)}, {Health::kUp});
  {
    InFlightUnit first(group->instances()[0]);
    InFlightUnit moved = std::move(first);
    EXPECT_EQ(group->instances()[0]->in_flight(), 1u);
  }
  EXPECT_EQ(group->instances()[0]->in_flight(), 0u);
}

TEST_F(InstanceGroupTest, ANewDirectoryKeepsConnectionsOfInstancesThatStay) {
  use({instance("a", 1), instance("b", 2)}, {Health::kUp, Health::kUp});
  auto [ours, theirs] = partywall::test::make_stream_pair();
  group->instances()[0]->park(std::move(ours), MonotonicTime(), kReuse);
  directory = directory_with({instance("a", 1, 5), instance("c", 3)}, 2);
  pools.update(directory);
  group = pools.find(directory->cells()[0], "web");
  EXPECT_EQ(group->instances()[0]->idle_connections(), 1u);
  EXPECT_EQ(group->instances()[0]->weight(), 5u);
  EXPECT_EQ(group->instances()[1]->key().instance, "c");
}

TEST_F(InstanceGroupTest, OnlyQuietOpenAndFreshConnectionsAreReused) {
  use({instance("a", 1)}, {Health::kUp});
  UpstreamInstance& a = *group->instances()[0];
  auto [fresh, fresh_peer] = partywall::test::make_stream_pair();
  auto [closed, closed_peer] = partywall::test::make_stream_pair();
  auto [noisy, noisy_peer] = partywall::test::make_stream_pair();
  const net::Stream* const expected = fresh.get();
  closed_peer.reset();
  noisy_peer->write("HTTP/1.1 200 OK\r\n");
  a.park(std::move(fresh), MonotonicTime(), kReuse);
  a.park(std::move(closed), MonotonicTime(), kReuse);
  a.park(std::move(noisy), MonotonicTime(), kReuse);
  EXPECT_EQ(a.take_idle(MonotonicTime(), kReuse).get(), expected);
  EXPECT_EQ(a.idle_connections(), 0u);

  auto [old, old_peer] = partywall::test::make_stream_pair();
  a.park(std::move(old), MonotonicTime(), kReuse);
  a.close_stale(MonotonicTime() + kReuse.max_idle_time, kReuse);
  EXPECT_EQ(a.idle_connections(), 0u);
}

// An application of one instance, answering with what the test says.
class HealthCheckerTest : public ::testing::Test {
 protected:
  HealthCheckerTest() {
    loop.listen({"10.0.0.9", 1},
                [this](std::unique_ptr<net::Stream> stream) { answer(std::move(stream)); });
    checker.update(*directory_with({instance("a", 1)}));
  }
  ~HealthCheckerTest() override {
    net::TaskScope scope(loop);
    scope.spawn(checker.stop());
    loop.run_ready();
  }

  void answer(std::unique_ptr<net::Stream> stream) {
    ++checks;
    if (!response.empty()) stream->write(response);
    open.push_back(std::move(stream));
  }

  [[nodiscard]] Health health() { return registry.of({"main", "web", "a", "10.0.0.9:1"})->get(); }

  SimulatedLoop loop;
  HealthRegistry registry;
  HealthChecker checker{loop, registry};
  std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  int checks = 0;
  std::vector<std::unique_ptr<net::Stream>> open;
};

TEST_F(HealthCheckerTest, ANewInstanceIsUpAfterThreeQuickSuccesses) {
  loop.advance(milliseconds(10));
  EXPECT_EQ(health(), Health::kUnknown);
  loop.advance(milliseconds(600));
  EXPECT_EQ(health(), Health::kUp);
  EXPECT_EQ(checks, 3);
}

TEST_F(HealthCheckerTest, TwoFailuresOfAnyKindTakeItOut) {
  for (const std::string_view bad :
       {"HTTP/1.1 500 No\r\n\r\n", "garbage\r\n\r\n", "" /* silence */}) {
    response = "HTTP/1.1 204 Fine\r\n\r\n";
    loop.advance(seconds(10));
    ASSERT_EQ(health(), Health::kUp);
    response = bad;
    loop.advance(seconds(2));
    loop.advance(seconds(6));
    EXPECT_EQ(health(), Health::kDown) << bad;
  }
}

TEST_F(HealthCheckerTest, NobodyListeningIsDownAndComesBack) {
  loop.advance(seconds(1));
  loop.listen({"10.0.0.9", 1}, nullptr);
  loop.advance(seconds(5));
  EXPECT_EQ(health(), Health::kDown);
  loop.listen({"10.0.0.9", 1},
              [this](std::unique_ptr<net::Stream> stream) { answer(std::move(stream)); });
  loop.advance(seconds(7));
  EXPECT_EQ(health(), Health::kUp);
}

TEST_F(HealthCheckerTest, RemovedInstancesAreAskedNoMore) {
  loop.advance(seconds(1));
  checker.update(*directory_with({}, 2));
  const int before = checks;
  loop.advance(seconds(20));
  EXPECT_EQ(checks, before);
}

}  // namespace
}  // namespace partywall::http
