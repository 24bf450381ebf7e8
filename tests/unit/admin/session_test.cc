#include "admin/session.h"

#include "admin/node_status.h"
#include "support/simulated_loop.h"

namespace partywall::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

DirectoryRef empty_directory() {
  DirectoryData data;
  data.version = 7;
  return Directory::build(std::move(data)).value();
}

// Runs at once what a thread would run later.
class InlineExecutor final : public Executor {
 public:
  bool submit(std::move_only_function<void()> work) override {
    if (is_full) return false;
    work();
    return true;
  }
  bool is_full = false;
};

// Says "tick" so many times, with a pause after each, and ends.
class Ticks final : public BodyStream {
 public:
  explicit Ticks(int count) : left_(count) {}
  std::optional<std::string> next() override {
    if (left_ == 0) return std::nullopt;
    said_ = !said_;
    if (!said_) return "";
    --left_;
    return "tick\n";
  }
  [[nodiscard]] Duration pause() const override { return seconds(1); }

 private:
  int left_;
  bool said_ = false;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    add_node_handlers(router, metrics, status);
    router.add("POST", "/echo", [](const Request& request) {
      return Response{.content_type = "text/plain",
                      .body = fmt::format("{}|{}", request.query, request.body)};
    });
    router.add({.method = "GET",
                .pattern = "/ticks/{count}",
                .handler =
                    [](const Request& request) {
                      return Response{
                          .content_type = "text/plain",
                          .stream = std::make_unique<Ticks>(std::stoi(request.parameters[0]))};
                    },
                .run_on = RunOn::kHandlerThreads});
    router.add({.method = "POST",
                .pattern = "/small",
                .handler = [](const Request&) { return Response{}; },
                .run_on = RunOn::kHandlerThreads,
                .max_body_bytes = 4});
  }

  ~SessionTest() override {
    client.reset();
    drain.request_close();
    loop.run_ready();
  }

  void connect(size_t most_per_read = SIZE_MAX) {
    auto [ours, theirs] = test::make_stream_pair({.most_per_read = most_per_read});
    client = std::move(ours);
    scope.spawn(serve_connection(loop, std::move(theirs), shared, drain));
  }

  // Everything the server has sent by now.
  std::string receive() {
    std::string all;
    std::array<char, 4096> buffer{};
    loop.run_ready();
    for (auto result = client->read(buffer); result.ok(); result = client->read(buffer)) {
      all.append(buffer.data(), result.bytes);
      loop.run_ready();
    }
    return all;
  }

  std::string exchange(std::string_view request) {
    connect();
    EXPECT_EQ(client->write(request).bytes, request.size());
    return receive();
  }

  test::SimulatedLoop loop;
  DirectoryFeed feed{empty_directory()};
  NodeStatus status{feed, loop.time(), {{"http", "127.0.0.1:8080"}}};
  MetricRegistry metrics;
  Router router;
  InlineExecutor executor;
  SessionShared shared{.router = router, .executor = executor, .limits = {}};
  net::Drain drain;
  net::TaskScope scope{loop};
  std::unique_ptr<net::Stream> client;
};

TEST_F(SessionTest, ReadinessNamesTheDirectoryAndTheDoors) {
  const std::string answer = exchange("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\"version\":7"));
  EXPECT_THAT(answer, HasSubstr("\"endpoint\":\"127.0.0.1:8080\""));
}

TEST_F(SessionTest, ADrainingNodeIsNotReadyButAlive) {
  status.start_draining();
  EXPECT_THAT(exchange("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(SessionTest, MetricsAreOpenMetrics) {
  metrics.add(status);
  const std::string answer = exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  metrics.remove(status);
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(answer, HasSubstr("\npartywall_directory_version 7\n"));
  EXPECT_TRUE(answer.ends_with("# EOF\n"));
}

TEST_F(SessionTest, APageThatSomebodysBrowserShowsCannotReadWhatIsHere) {
  shared.refuses_names = true;
  for (const char* host : {"127.0.0.1", "127.0.0.1:9180", "[::1]:9180", "[::1]", "localhost",
                           "LocalHost:9180", "192.0.2.1:9180"}) {
    EXPECT_THAT(exchange(fmt::format("GET /readyz HTTP/1.1\r\nHost: {}\r\n\r\n", host)),
                StartsWith("HTTP/1.1 200 "))
        << host;
  }
  for (const char* host : {"evil.example", "evil.example:9180", "127.0.0.1.evil.example",
                           "localhost.evil.example", "[evil]", "[::1"}) {
    EXPECT_THAT(exchange(fmt::format("GET /readyz HTTP/1.1\r\nHost: {}\r\n\r\n", host)),
                StartsWith("HTTP/1.1 4"))
        << host;
  }
}

TEST_F(SessionTest, UnknownPathsAndMethodsAreProblems) {
  EXPECT_THAT(exchange("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"),
              HasSubstr("application/problem+json"));
  const std::string answer = exchange("DELETE /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET\r\n"));
}

TEST_F(SessionTest, HeadHasTheLengthWithoutTheBody) {
  const std::string answer = exchange("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(SessionTest, BodiesArriveByLengthAndByChunksInWhateverPieces) {
  constexpr std::string_view kRequests =
      "POST /echo?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
  for (const size_t most : {size_t{1}, size_t{3}, SIZE_MAX}) {
    connect(most);
    client->write(kRequests);
    const std::string answers = receive();
    EXPECT_THAT(answers, HasSubstr("\r\n\r\na=1|hello"));
    EXPECT_THAT(answers, HasSubstr("\r\n\r\n|hello"));
  }
}

TEST_F(SessionTest, BadAndHugeRequestsAreRefusedAndTheConnectionEnds) {
  for (const std::string_view request :
       {"GET /x y HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"}) {
    const std::string answer = exchange(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 4")) << request;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request;
    EXPECT_EQ(scope.running(), 0u) << request;
  }
}

TEST_F(SessionTest, SilentConnectionsEnd) {
  connect();
  client->write("GET /healthz HTTP/1.1\r\n");
  loop.advance(shared.limits.read_timeout + seconds(1));
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(SessionTest, AHeadThatTricklesInHasItsTimeAsAWhole) {
  connect();
  for (int i = 0; i < 40 && scope.running() > 0; ++i) {
    client->write(i == 0 ? "GET /healthz HTTP/1.1\r\nX: " : "a");
    loop.advance(seconds(1));
  }
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(SessionTest, ABodyThatTricklesInHasItsTimeAsAWhole) {
  connect();
  client->write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 70 && scope.running() > 0; ++i) {
    client->write("a");
    loop.advance(seconds(1));
  }
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(SessionTest, AStreamIsSentInChunksUntilItEnds) {
  connect();
  client->write("GET /ticks/2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(receive().ends_with("\r\n\r\n5\r\ntick\n\r\n"));
  loop.advance(seconds(1));
  EXPECT_EQ(receive(), "5\r\ntick\n\r\n0\r\n\r\n");
  EXPECT_EQ(shared.streams, 0u);
}

TEST_F(SessionTest, AStreamEndsWithItsReaderAndWithTheNode) {
  for (const bool node_stops : {false, true}) {
    connect();
    client->write("GET /ticks/100 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(receive(), HasSubstr("tick"));
    EXPECT_EQ(shared.streams, 1u);
    if (node_stops) {
      drain.request();
    } else {
      client.reset();
    }
    loop.advance(seconds(2));
    EXPECT_EQ(scope.running(), 0u);
    EXPECT_EQ(shared.streams, 0u);
  }
}

TEST_F(SessionTest, StreamsAndWaitingRequestsAreBounded) {
  shared.limits.max_streams = 0;
  EXPECT_THAT(exchange("GET /ticks/1 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  executor.is_full = true;
  const std::string answer = exchange("POST /small HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
}

TEST_F(SessionTest, ANodeThatStopsClosesIdleConnections) {
  connect();
  loop.run_ready();
  drain.request();
  loop.run_ready();
  EXPECT_EQ(scope.running(), 0u);
}

}  // namespace
}  // namespace partywall::admin
