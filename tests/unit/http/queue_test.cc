// Requests that wait for their turn: for a unit of their own tenant, and for a place at an
// application that has as much to do as it may.
#include <algorithm>

#include <gmock/gmock.h>

#include "http/door_fixture.h"

namespace partywall::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class QueueTest : public test::DoorFixture {
 protected:
  QueueTest() {
    app1.answer = app2.answer = nullptr;
    settings.queue.timeout = seconds(5);
    data.tenants[0].limits.api_rate = {1'000, seconds(1), 1'000};
    restart_door();
  }
  test::ByHand& send(std::string_view path, std::string_view tenant) {
    test::ByHand& client = connect();
    client.send(get(path, tenant));
    settle();
    return client;
  }
  std::vector<test::ByHand*> send_many(size_t count, std::string_view tenant) {
    std::vector<test::ByHand*> sent;
    for (size_t i = 0; i < count; ++i) sent.push_back(&send(fmt::format("/api/{}", i), tenant));
    return sent;
  }
  // The paths of the requests that the application has and has not answered.
  std::vector<std::string> under_way() const {
    std::vector<std::string> paths;
    for (const auto* app : {&app1, &app2}) {
      for (const auto& connection : app->connections) {
        const auto end = connection.received.find(" HTTP");
        if (end != std::string::npos) paths.push_back(connection.received.substr(4, end - 4));
      }
    }
    return paths;
  }
  bool is_under_way(std::string_view path) const {
    const auto paths = under_way();
    return std::ranges::find(paths, path) != paths.end();
  }
  void answer(std::string_view path) {
    const std::string begin = fmt::format("GET {} HTTP", path);
    for (auto* app : {&app1, &app2}) {
      for (auto& connection : app->connections) {
        if (!connection.received.starts_with(begin)) continue;
        connection.received.clear();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        settle();
        return;
      }
    }
    ADD_FAILURE() << path << " is not under way";
  }
  uint64_t meter(size_t tenant, HttpMeter what) const {
    return door->metrics().tenants.value(data.tenants[tenant].number, what);
  }
  uint32_t in_use(size_t tenant) {
    return states.of(data.tenants[tenant].number).http_requests.in_use();
  }
};

constexpr size_t kFirst = 0;
constexpr size_t kAcmeMost = 10;  // requests under way in the free tier

TEST_F(QueueTest, ARequestWaitsUntilOneOfItsTenantEnds) {
  send_many(kAcmeMost, "acme");
  auto& late = send("/api/late", "acme");
  EXPECT_FALSE(is_under_way("/api/late"));
  EXPECT_EQ(late.take(), "");
  advance(milliseconds(1200));
  answer("/api/0");
  EXPECT_TRUE(is_under_way("/api/late"));
  EXPECT_EQ(in_use(kFirst), kAcmeMost);
  answer("/api/late");
  EXPECT_THAT(late.take(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(meter(kFirst, HttpMeter::kQueued), 1U);
  EXPECT_EQ(meter(kFirst, HttpMeter::kQueueMilliseconds), 1200U);
  EXPECT_EQ(meter(kFirst, HttpMeter::kThrottled), 0U);
}

TEST_F(QueueTest, WhoHasWaitedLongestIsNext) {
  send_many(kAcmeMost, "acme");
  for (const char* path : {"/api/a", "/api/b", "/api/c"}) send(path, "acme");
  answer("/api/0");
  EXPECT_TRUE(is_under_way("/api/a"));
  answer("/api/1");
  EXPECT_TRUE(is_under_way("/api/b"));
  EXPECT_FALSE(is_under_way("/api/c"));
  // One that comes now does not overtake.
  answer("/api/2");
  EXPECT_TRUE(is_under_way("/api/c"));
}

TEST_F(QueueTest, PatienceEnds) {
  send_many(kAcmeMost, "acme");
  auto& late = send("/api/late", "acme");
  advance(milliseconds(4900));
  EXPECT_EQ(late.take(), "");
  advance(milliseconds(200));
  EXPECT_THAT(late.take(),
              AllOf(StartsWith("HTTP/1.1 429 "), HasSubstr("too-many-concurrent-requests"),
                    HasSubstr("\r\nRetry-After: 1\r\n")));
  answer("/api/0");
  EXPECT_EQ(in_use(kFirst), kAcmeMost - 1);
  EXPECT_EQ(meter(kFirst, HttpMeter::kThrottled), 1U);
}

TEST_F(QueueTest, ATenantsLineDelaysNobodyElse) {
  send_many(kAcmeMost + 50, "acme");
  send("/api/globex", "globex");
  EXPECT_TRUE(is_under_way("/api/globex"));
}

TEST_F(QueueTest, ALineIsBounded) {
  settings.queue.limits.max_waiting_per_tenant = 2;
  restart_door();
  const auto clients = send_many(kAcmeMost + 3, "acme");
  EXPECT_EQ(clients[kAcmeMost]->take(), "");
  EXPECT_EQ(clients[kAcmeMost + 1]->take(), "");
  EXPECT_THAT(clients[kAcmeMost + 2]->take(), StartsWith("HTTP/1.1 429 "));
}

TEST_F(QueueTest, AClientThatLeavesGivesItsPlaceUp) {
  send_many(kAcmeMost, "acme");
  auto& leaving = send("/api/leaving", "acme");
  send("/api/next", "acme");
  leaving.stream->close();
  settle();
  answer("/api/0");
  EXPECT_TRUE(is_under_way("/api/next"));
  EXPECT_FALSE(is_under_way("/api/leaving"));
  EXPECT_EQ(door->metrics().value(DoorCounter::kClientAborts), 1U);
}

TEST_F(QueueTest, APipelinedRequestBehindAWaitingOneIsKept) {
  send_many(kAcmeMost, "acme");
  auto& client = send("/api/first", "acme");
  client.send(get("/api/second", "acme"));
  settle();
  answer("/api/0");
  answer("/api/first");
  EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 200 "));
  answer("/api/second");
  EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 200 "));
}

// Who was suspended while it waited is not served when its turn comes, and its unit comes back.
TEST_F(QueueTest, TheStatusOfTheTenantCountsAfterTheWaitToo) {
  send_many(kAcmeMost, "acme");
  auto& late = send("/api/late", "acme");
  data.tenants[kFirst].status = TenantStatus::kSuspended;
  publish();
  answer("/api/0");
  EXPECT_THAT(late.take(), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(in_use(kFirst), kAcmeMost - 1);
}

TEST_F(QueueTest, ClosingTheDoorEndsTheWait) {
  send_many(kAcmeMost + 5, "acme");
  door->begin_drain();
  door->close_all();
  settle();
  EXPECT_EQ(door->sessions(), 0U);
  EXPECT_EQ(in_use(kFirst), 0U);
}

class FullApplication : public QueueTest {
 protected:
  FullApplication() {
    settings.queue.max_requests_per_instance = 1;
    restart_door();
  }
};

// Acme has many requests there, globex one: it waits for no more than one of acme's turns.
TEST_F(FullApplication, TenantsTakeTurns) {
  send_many(kAcmeMost, "acme");
  EXPECT_EQ(under_way().size(), 2U);
  send("/api/globex", "globex");
  EXPECT_FALSE(is_under_way("/api/globex"));
  answer(under_way().front());
  answer(under_way().front());
  EXPECT_TRUE(is_under_way("/api/globex"));
  EXPECT_EQ(under_way().size(), 2U);
}

TEST_F(FullApplication, AnInstanceHasNoMoreThanItMay) {
  send_many(kAcmeMost, "acme");
  for (size_t i = 0; i + 2 < kAcmeMost; ++i) {
    ASSERT_EQ(under_way().size(), 2U);
    size_t at_first = 0;
    for (const auto& connection : app1.connections) at_first += !connection.received.empty();
    EXPECT_EQ(at_first, 1U);
    answer(under_way()[i % 2]);
  }
}

TEST_F(FullApplication, PatienceEnds) {
  send_many(2, "acme");
  auto& late = send("/api/late", "globex");
  advance(seconds(6));
  EXPECT_THAT(late.take(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("problem:overloaded"),
                                 HasSubstr("\r\nRetry-After: 1\r\n")));
  answer("/api/0");
  send("/api/next", "globex");
  EXPECT_TRUE(is_under_way("/api/next"));
}

TEST_F(FullApplication, WithoutAQueueItIsSaidAtOnce) {
  settings.queue.timeout = Duration(0);
  restart_door();
  send_many(2, "acme");
  EXPECT_THAT(send("/api/late", "globex").take(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(FullApplication, AClientThatLeavesGivesItsPlaceUp) {
  send_many(2, "acme");
  auto& leaving = send("/api/leaving", "acme");
  send("/api/next", "globex");
  leaving.stream->close();
  settle();
  EXPECT_EQ(in_use(kFirst), 2U);
  answer("/api/0");
  EXPECT_TRUE(is_under_way("/api/next"));
}

TEST_F(FullApplication, AnInstanceThatComesBackMakesRoom) {
  set_health(Health::kDown);
  health.of(key_of(data.cells[0], data.cells[0].pools[0], data.cells[0].pools[0].instances[0]))
      ->set(Health::kUp);
  send_many(2, "acme");
  EXPECT_EQ(under_way().size(), 1U);
  set_health(Health::kUp);
  advance(seconds(1));
  EXPECT_EQ(under_way().size(), 2U);
}

TEST_F(FullApplication, ANewDirectoryKeepsWhoWaits) {
  send_many(2, "acme");
  send("/api/late", "globex");
  publish();
  set_health(Health::kUp);
  EXPECT_FALSE(is_under_way("/api/late"));
  answer("/api/0");
  EXPECT_TRUE(is_under_way("/api/late"));
}

// Two workers of one process: units are shared, lines are not.
class TwoWorkers : public testing::Test {
 protected:
  struct Worker {
    Worker(TenantStates& states, const std::shared_ptr<TurnBoard>& board)
        : desk(states), lines(loop, desk, board, {}), wake(loop) {}
    partywall::test::SimulatedLoop loop;
    LimitDesk desk;
    TenantLines lines;
    net::Event wake;
  };
  void settle() {
    for (int i = 0; i < 4; ++i) {
      first.loop.run_ready();
      second.loop.run_ready();
    }
  }

  TenantStates states;
  std::shared_ptr<TurnBoard> board = std::make_shared<TurnBoard>();
  Worker first{states, board};
  Worker second{states, board};
  const LimitAsk ask{.number = TenantNumber(0), .kind = LimitKind::kHttpRequests, .slots = 1};
};

TEST_F(TwoWorkers, AUnitGoesToTheLineThatHasWaitedLongest) {
  auto unit = first.desk.acquire(ask, {}).units;
  ASSERT_TRUE(unit);
  TenantLines::Place earlier(second.lines, second.wake);
  ASSERT_TRUE(second.lines.join(earlier, ask));
  first.loop.advance(milliseconds(10));
  second.loop.advance(milliseconds(10));
  TenantLines::Place later(first.lines, first.wake);
  ASSERT_TRUE(first.lines.join(later, ask));
  EXPECT_TRUE(first.lines.must_wait(ask.number));
  unit.reset();
  first.lines.freed(ask.number);
  settle();
  EXPECT_TRUE(earlier.has_turn());
  EXPECT_FALSE(later.has_turn());
  earlier.take_units().release();
  second.lines.freed(ask.number);
  settle();
  EXPECT_TRUE(later.has_turn());
}

TEST_F(TwoWorkers, WhoLeavesLetsTheNextWorkersLineBeFirst) {
  auto unit = first.desk.acquire(ask, {}).units;
  auto earlier = std::make_unique<TenantLines::Place>(second.lines, second.wake);
  ASSERT_TRUE(second.lines.join(*earlier, ask));
  first.loop.advance(milliseconds(10));
  TenantLines::Place later(first.lines, first.wake);
  ASSERT_TRUE(first.lines.join(later, ask));
  unit.reset();
  earlier.reset();  // before its worker has heard of the unit
  settle();
  EXPECT_TRUE(later.has_turn());
}

TEST_F(TwoWorkers, ATurnThatNobodyTookIsPassedOn) {
  auto unit = first.desk.acquire(ask, {}).units;
  auto earlier = std::make_unique<TenantLines::Place>(second.lines, second.wake);
  ASSERT_TRUE(second.lines.join(*earlier, ask));
  TenantLines::Place later(second.lines, second.wake);
  ASSERT_TRUE(second.lines.join(later, ask));
  unit.reset();
  first.lines.freed(ask.number);
  settle();
  ASSERT_TRUE(earlier->has_turn());
  earlier.reset();
  settle();
  EXPECT_TRUE(later.has_turn());
}

}  // namespace
}  // namespace partywall::http
