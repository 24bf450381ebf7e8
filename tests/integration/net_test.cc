// The real sockets of net/ on loopback: what the simulated loop cannot show.

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "net/event.h"
#include "net/listener.h"
#include "net/scope.h"
#include "net/tls.h"
#include "net/worker.h"

namespace partywall::net {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_(std::filesystem::temp_directory_path() /
              ("partywall-net-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Task<> echo(Loop& loop, std::unique_ptr<Stream> stream, TlsContext* tls) {
  if (tls) {
    auto encrypted = co_await tls->handshake(loop, std::move(stream), seconds(5));
    if (!encrypted) co_return;
    stream = std::move(*encrypted);
  }
  std::vector<char> buffer(16 * 1024);
  while (true) {
    const auto count = co_await read_some(loop, *stream, buffer, seconds(5));
    if (!count) break;
    if (!co_await write_all(loop, *stream, {buffer.data(), *count}, seconds(5))) break;
  }
  stream->shutdown_write();
}

// One echo server on all workers.
class EchoServer {
 public:
  EchoServer(WorkerGroup& workers, const Endpoint& at, const TlsServerSettings* tls = nullptr)
      : workers_(workers) {
    auto bound = bind_listeners(workers, at);
    if (!bound) throw std::runtime_error(bound.error().message);
    bound_ = std::move(*bound);
    scopes_.resize(workers.size());
    tls_.resize(workers.size());
    workers_.run_on_each([&](Worker& worker) {
      const size_t i = worker.index();
      scopes_[i] = std::make_unique<TaskScope>(worker);
      if (tls) tls_[i] = TlsContext::server(*tls).value();
      bound_.listeners[i]->start([this, i, &worker](std::unique_ptr<Stream> stream) {
        scopes_[i]->spawn(echo(worker, std::move(stream), tls_[i].get()));
      });
    });
  }

  ~EchoServer() {
    workers_.run_on_each([&](Worker& worker) { bound_.listeners[worker.index()].reset(); });
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_.run_until_done(workers_[i], [this, i] { return scopes_[i]->join(); });
    }
    workers_.run_on_each([&](Worker& worker) { scopes_[worker.index()].reset(); });
  }

  [[nodiscard]] const Endpoint& endpoint() const { return bound_.endpoint; }

 private:
  WorkerGroup& workers_;
  BoundListeners bound_;
  std::vector<std::unique_ptr<TaskScope>> scopes_;
  std::vector<std::unique_ptr<TlsContext>> tls_;
};

Task<> send_all(Loop& loop, Stream& stream, const std::string& bytes) {
  (void)co_await write_all(loop, stream, bytes, seconds(5));
  stream.shutdown_write();
}

// Sends while it receives: the echo would otherwise block both.
Task<> exchange(Loop& loop, Endpoint to, TlsContext* tls, std::string sent,
                Result<std::string>& received) {
  auto connected = co_await loop.connect(to, seconds(5));
  if (connected && tls)
    connected = co_await tls->handshake(loop, std::move(*connected), seconds(5));
  if (!connected) {
    received = std::unexpected(connected.error());
    co_return;
  }
  Stream& stream = **connected;
  TaskScope sender(loop);
  sender.spawn(send_all(loop, stream, sent));
  std::vector<char> buffer(16 * 1024);
  std::string all;
  while (all.size() < sent.size()) {
    const auto count = co_await read_some(loop, stream, buffer, seconds(5));
    if (!count) break;
    all.append(buffer.data(), *count);
  }
  co_await sender.join();
  received = std::move(all);
}

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

class NetTest : public ::testing::Test {
 protected:
  Result<std::string> exchange_with(const Endpoint& to, const std::string& sent,
                                    TlsContext* tls = nullptr) {
    Result<std::string> received = fail(ErrorKind::kInternal, "not run");
    workers.run_until_done(workers[0],
                           [&] { return exchange(workers[0], to, tls, sent, received); });
    return received;
  }

  SystemTime time;
  TemporaryDirectory directory;
  WorkerGroup workers{2, time};
};

TEST_F(NetTest, MegabytesGoThroughTcpAndUnixSockets) {
  const std::string sent = pattern(5'000'000);
  for (const Endpoint& at :
       {Endpoint{"127.0.0.1", 0}, Endpoint{"::1", 0}, Endpoint{directory.file("echo.sock"), 0}}) {
    EchoServer server(workers, at);
    const auto received = exchange_with(server.endpoint(), sent);
    ASSERT_TRUE(received) << received.error().message;
    EXPECT_TRUE(*received == sent) << at.to_string();
  }
}

TEST_F(NetTest, MegabytesGoThroughTls) {
  const std::string key = directory.file("key.pem");
  const std::string certificate = directory.file("cert.pem");
  const std::string command = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
      "/CN=localhost "
      "-addext subjectAltName=DNS:localhost -keyout {} -out {} 2>/dev/null",
      key, certificate);
  ASSERT_EQ(std::system(command.c_str()),
            0);  // NOLINT(concurrency-mt-unsafe): nothing else runs yet
  const TlsServerSettings settings{
      .certificate_file = certificate, .private_key_file = key, .alpn = "http/1.1"};
  EchoServer server(workers, {"127.0.0.1", 0}, &settings);

  auto trusting = TlsContext::client({.ca_file = certificate, .server_name = "localhost"}).value();
  const std::string sent = pattern(5'000'000);
  const auto received = exchange_with(server.endpoint(), sent, trusting.get());
  ASSERT_TRUE(received) << received.error().message;
  EXPECT_TRUE(*received == sent);

  auto other_name =
      TlsContext::client({.ca_file = certificate, .server_name = "example.org"}).value();
  EXPECT_FALSE(exchange_with(server.endpoint(), sent, other_name.get()))
      << "the name was not verified";
  auto distrusting = TlsContext::client({.server_name = "localhost"}).value();
  EXPECT_FALSE(exchange_with(server.endpoint(), sent, distrusting.get()))
      << "an unknown authority was trusted";
}

TEST_F(NetTest, NobodyListeningIsAnError) {
  Endpoint free_port;
  {
    free_port = EchoServer(workers, {"127.0.0.1", 0}).endpoint();
  }
  const auto received = exchange_with(free_port, "x");
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(exchange_with({directory.file("none.sock"), 0}, "x"));
}

TEST_F(NetTest, APortInUseIsRefusedAlthoughWorkersShareThePort) {
  EchoServer server(workers, {"127.0.0.1", 0});
  WorkerGroup others(2, time);
  const auto bound = bind_listeners(others, server.endpoint());
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().message, ::testing::HasSubstr("cannot listen"));
}

TEST_F(NetTest, AStaleUnixSocketIsReplacedAndALiveOneIsNot) {
  const Endpoint at{directory.file("stale.sock"), 0};
  {
    EchoServer crashed(workers, at);
  }  // leaves its path behind
  EchoServer server(workers, at);
  WorkerGroup others(1, time);
  EXPECT_FALSE(bind_listeners(others, at));
  EXPECT_TRUE(exchange_with(at, "still there"));
}

TEST_F(NetTest, ManyConnectionsAtOnce) {
  EchoServer server(workers, {"127.0.0.1", 0});
  constexpr size_t kConnections = 200;
  std::vector<Result<std::string>> received(kConnections, Result<std::string>(""));
  workers.run_until_done(workers[1], [&]() -> Task<> {
    auto run = [](Worker& worker, Endpoint to,
                  std::vector<Result<std::string>>& results) -> Task<> {
      TaskScope scope(worker);
      for (auto& result : results)
        scope.spawn(exchange(worker, to, nullptr, pattern(10'000), result));
      co_await scope.join();
    };
    return run(workers[1], server.endpoint(), received);
  });
  for (const auto& each : received) {
    ASSERT_TRUE(each) << each.error().message;
    EXPECT_TRUE(*each == pattern(10'000));
  }
}

}  // namespace
}  // namespace partywall::net
