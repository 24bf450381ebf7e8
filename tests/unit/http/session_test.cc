// Connections: one request after the other, bodies both ways, and what happens when a side fails.
#include <gmock/gmock.h>

#include "http/door_fixture.h"
#include "support/sanitizers.h"

namespace partywall::http {
namespace {

using test::DoorFixture;
using test::SeenRequest;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SessionTest : public DoorFixture {
 protected:
  SessionTest() {
    data.tenants[0].limits.max_concurrent_requests = 1000;
    data.tenants[0].limits.api_rate = {1'000'000, minutes(1), 1'000'000};
    publish();
  }

  void answer_with(std::string bytes) {
    app1.answer = app2.answer = [bytes](const SeenRequest&) { return bytes; };
  }
  size_t requests_seen() { return app1.requests.size() + app2.requests.size(); }
  // The instance that has a connection with something to read, answered by hand.
  test::ByHand& busy() {
    for (auto* app : {&app1, &app2}) {
      for (auto& connection : app->connections) {
        if (!connection.received.empty()) return connection;
      }
    }
    ADD_FAILURE() << "no application has a request";
    return app1.connections.emplace_back();
  }
  uint64_t counted(DoorCounter counter) { return door->metrics().value(counter); }
  std::string post(std::string_view body_fields, std::string_view body) {
    return "POST /api/x HTTP/1.1\r\nHost: a\r\n" + bearer("acme") + std::string(body_fields) +
           "\r\n" + std::string(body);
  }
};

size_t occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(SessionTest, Rfc9112_9_3_2_PipelinedRequestsAreAnsweredInOrder) {
  app1.answer = app2.answer = [](const SeenRequest& request) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", request.line.size(),
                       request.line);
  };
  const std::string response =
      exchange(get("/api/1", "acme") + get("/api/2", "acme") + get("/api/3", "acme"));
  EXPECT_EQ(occurrences(response, "HTTP/1.1 200"), 3U);
  const size_t first = response.find("GET /api/1");
  const size_t second = response.find("GET /api/2");
  EXPECT_LT(first, second);
  EXPECT_LT(second, response.find("GET /api/3"));
}

TEST_F(SessionTest, ConnectionsToInstancesAreUsedAgain) {
  test::ByHand& client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send(get("/api/x", "acme"));
    settle();
    EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_LE(counted(DoorCounter::kUpstreamConnections), 2U);
  EXPECT_GE(counted(DoorCounter::kUpstreamReused), 18U);
}

TEST_F(SessionTest, HoweverTheBytesAreCutTheExchangeIsTheSame) {
  const std::string request =
      post("Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n");
  answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  for (size_t cut = 1; cut < request.size(); ++cut) {
    app1.requests.clear();
    app2.requests.clear();
    test::ByHand& client = connect();
    client.send(request.substr(0, cut));
    settle();
    client.send(request.substr(cut));
    settle();
    ASSERT_EQ(requests_seen(), 1U) << cut;
    ASSERT_EQ((app1.requests.empty() ? app2 : app1).requests[0].body, "abcde") << cut;
    ASSERT_THAT(client.take(), EndsWith("\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) << cut;
  }
}

TEST_F(SessionTest, ByteByByteInEveryDirection) {
  loop.network() = {.most_per_read = 1, .most_per_write = 1};
  answer_with("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
  EXPECT_THAT(exchange(post("Content-Length: 5\r\n", "hello")), EndsWith("\r\n\r\n0123456789"));
  EXPECT_EQ((app1.requests.empty() ? app2 : app1).requests[0].body, "hello");
}

TEST_F(SessionTest, ABodyUntilTheCloseIsChunkedForTheClient) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(get("/api/x", "acme"));
  settle();
  busy().send("HTTP/1.1 200 OK\r\n\r\nhello");
  busy().stream->shutdown_write();
  settle();
  EXPECT_THAT(client.take(), EndsWith("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  EXPECT_FALSE(client.ended || client.broken);
}

TEST_F(SessionTest, ABodyThatIsCutOffNeverLooksWhole) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(get("/api/x", "acme"));
  settle();
  busy().send("HTTP/1.1 200 OK\r\n\r\nhello");
  busy().stream->close();
  settle();
  EXPECT_THAT(client.take(), EndsWith("\r\n\r\n5\r\nhello\r\n"));
  EXPECT_TRUE(client.ended || client.broken);
}

TEST_F(SessionTest, Rfc9112_6_1_AnHttp10ClientGetsNoChunks) {
  answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  test::ByHand& client = connect();
  client.send("GET /api/x HTTP/1.0\r\nHost: a\r\n" + bearer("acme") + "\r\n");
  settle();
  EXPECT_THAT(client.received,
              AllOf(HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("Transfer-Encoding")),
                    EndsWith("\r\n\r\nhello")));
  EXPECT_TRUE(client.ended);
}

TEST_F(SessionTest, AnInstanceThatRefusesConnectionsCostsNoRequest) {
  app1.stop_listening();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(exchange(post("Content-Length: 2\r\n", "hi")), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_GT(counted(DoorCounter::kUpstreamRetries), 0U);
  EXPECT_EQ(app2.requests.size(), 20U);
}

TEST_F(SessionTest, APostIsNeverSentTwice) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(post("Content-Length: 2\r\n", "hi"));
  settle();
  busy().stream->close();
  settle();
  EXPECT_THAT(client.take(), AllOf(StartsWith("HTTP/1.1 502"), HasSubstr("upstream-failed")));
  EXPECT_EQ(counted(DoorCounter::kUpstreamRetries), 0U);
}

TEST_F(SessionTest, WhatIsNoHttpIs502) {
  for (const std::string_view garbage :
       {"garbage\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"}) {
    answer_with(std::string(garbage));
    EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 502")) << garbage;
  }
}

TEST_F(SessionTest, BytesBehindAResponseEndItsConnection) {
  answer_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nfor whom?");
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(exchange(get("/api/x", "acme")), EndsWith("\r\n\r\nok"));
  }
  EXPECT_EQ(counted(DoorCounter::kUpstreamReused), 0U);
}

TEST_F(SessionTest, TheApplicationsTimeIsBounded) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(get("/api/x", "acme"));
  advance(settings.timeouts.response - seconds(1));
  EXPECT_EQ(client.received, "");
  advance(seconds(2));
  EXPECT_THAT(client.take(), AllOf(StartsWith("HTTP/1.1 504"), HasSubstr("upstream-timeout")));
}

TEST_F(SessionTest, TheTimeForAHeadIsNotProlongedByItsBytes) {
  test::ByHand& client = connect();
  for (int i = 0; i < 12; ++i) {
    client.send(i == 0 ? "GET / HTTP/1.1\r\n" : "X: y\r\n");
    advance(seconds(1));
  }
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 408"));
}

TEST_F(SessionTest, ABodyThatTricklesIsGivenUp) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(post("Content-Length: 1000000\r\n", "x"));
  Duration waited{};
  for (; client.received.empty() && waited < minutes(10); waited += seconds(5)) {
    client.send("x");
    advance(seconds(5));
  }
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 408"));
  EXPECT_GE(waited, settings.timeouts.body);
  EXPECT_LE(waited, settings.timeouts.body + seconds(10)) << "a byte now and then buys nothing";
}

TEST_F(SessionTest, ABodyThatIsSlowAndFastEnoughArrives) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(post("Content-Length: 100000\r\n", ""));
  settle();
  test::ByHand& upstream = busy();
  for (int i = 0; i < 100; ++i) {
    client.send(std::string(1'000, 'x'));
    advance(seconds(1));
  }
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  settle();
  EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(SessionTest, AnIdleConnectionIsClosed) {
  test::ByHand& client = connect();
  advance(settings.timeouts.idle + seconds(1));
  EXPECT_TRUE(client.ended || client.broken);
  EXPECT_EQ(client.received, "");
}

TEST_F(SessionTest, AClientThatGoesAwayCancelsItsRequest) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(get("/api/x", "acme"));
  settle();
  test::ByHand& upstream = busy();
  client.stream->close();
  settle();
  EXPECT_TRUE(upstream.ended || upstream.broken);
  EXPECT_EQ(counted(DoorCounter::kClientAborts), 1U);
}

TEST_F(SessionTest, Rfc9110_10_1_1_ContinueIsTheApplications) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n", ""));
  settle();
  test::ByHand& upstream = busy();
  EXPECT_THAT(upstream.take(), HasSubstr("\r\nExpect: 100-continue\r\n"));
  upstream.send("HTTP/1.1 100 Continue\r\n\r\n");
  settle();
  EXPECT_EQ(client.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  settle();
  EXPECT_EQ(upstream.take(), "hello");
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  settle();
  EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(SessionTest, AWebsocketIsATunnel) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  client.send(get("/api/ws", "acme", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  settle();
  test::ByHand& upstream = busy();
  EXPECT_THAT(upstream.take(), HasSubstr("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
  upstream.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi");
  settle();
  EXPECT_THAT(client.take(), AllOf(StartsWith("HTTP/1.1 101"), EndsWith("\r\n\r\nhi")));
  client.send("ping");
  settle();
  EXPECT_EQ(upstream.take(), "ping");
  client.stream->close();
  settle();
  EXPECT_TRUE(upstream.ended || upstream.broken);
}

TEST_F(SessionTest, ABodyThatGrowsTooLargeIsRefused) {
  settings.limits.exchange.max_request_body_bytes = 10;
  restart_door();
  EXPECT_THAT(exchange(post("Content-Length: 11\r\n", "01234567890")), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange(post("Transfer-Encoding: chunked\r\n", "b\r\n01234567890\r\n0\r\n\r\n")),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(SessionTest, ARefusedRequestLeavesItsConnectionAlone) {
  const std::string refused = "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET";
  const std::string response = exchange(refused + get("/api/x", "acme"));
  EXPECT_THAT(response, StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(occurrences(response, "HTTP/1.1 200"), 1U);
  EXPECT_EQ(requests_seen(), 1U);
}

TEST_F(SessionTest, NothingFollowsARequestWhoseEndIsInDoubt) {
  const std::string response = exchange(
      "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
      "\r\n0\r\n\r\n" +
      get("/api/x", "acme"));
  EXPECT_THAT(response, AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("\r\nConnection: close\r\n")));
  EXPECT_EQ(occurrences(response, "HTTP/1.1 "), 1U);
  EXPECT_EQ(requests_seen(), 0U);
}

TEST_F(SessionTest, WhileDrainingWhatHasBegunIsFinished) {
  app1.answer = app2.answer = nullptr;
  test::ByHand& client = connect();
  test::ByHand& idle = connect();
  client.send(get("/api/x", "acme"));
  settle();
  door->begin_drain();
  settle();
  EXPECT_TRUE(idle.ended || idle.broken);
  busy().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  settle();
  EXPECT_THAT(client.received, AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("ok")));
  EXPECT_TRUE(client.ended);
}

// Whatever operation of whatever connection breaks: nothing leaks, nobody hangs, and no client gets
// a response that is not whole without noticing.
TEST_F(SessionTest, AFailureAtEveryStepLeaksNothing) {
  partywall::test::MemoryNetworkFaults faults;
  loop.network().faults = &faults;
  for (uint64_t step = 0; step < 60; step += kSanitized ? 5 : 1) {
    faults = {.operations = 0, .failing = step};
    exchange(post("Content-Length: 5\r\n", "hello"));
    exchange(get("/api/x", "acme"));
    advance(minutes(3));
    ASSERT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 0U) << step;
    for (auto& client : clients) client.stream.reset();
    settle();
    ASSERT_EQ(door->sessions(), 0U) << step;
    clients.clear();
  }
}

}  // namespace
}  // namespace partywall::http
