// What a stream remembers of epoll's edges: nothing may be missed, and nothing asked in vain.

#include "net/socket_stream.h"

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/event.h"
#include "net/listener.h"
#include "net/scope.h"
#include "net/socket_address.h"
#include "net/worker.h"

namespace partywall::net {
namespace {

struct Pair {
  explicit Pair(Worker& worker) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair");
    stream = make_socket_stream(worker, ends[0], {"test", 0});
    peer = ends[1];
  }
  ~Pair() { hang_up(); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }

  std::unique_ptr<Stream> stream;
  int peer = -1;
};

// Up to the end of the stream, with a buffer of `size` bytes.
Task<> read_to_end(Loop& loop, Stream& stream, size_t size, std::string& all) {
  Event ready(loop);
  std::vector<char> buffer(size);
  while (true) {
    const IoResult result = stream.read(buffer);
    if (result.closed()) co_return;
    if (result.ok()) {
      all.append(buffer.data(), result.bytes);
      continue;
    }
    stream.arm_read(ready);
    co_await ready.wait();
  }
}

class SocketStreamTest : public ::testing::Test {
 protected:
  void run(std::function<Task<>(Worker&)> body) {
    workers.run_until_done(workers[0], [&] { return body(workers[0]); });
  }

  SystemTime time;
  WorkerGroup workers{2, time};
};

Task<> bytes_and_end_at_once(Worker& worker) {
  for (const size_t size : {1UL, 3UL, 5UL, 4096UL}) {
    Pair pair(worker);
    pair.send("hello");
    pair.hang_up();
    std::string all;
    co_await read_to_end(worker, *pair.stream, size, all);
    EXPECT_EQ(all, "hello") << size;
  }
}
TEST_F(SocketStreamTest, TheEndBehindAShortReadIsSeen) { run(bytes_and_end_at_once); }

Task<> end_after_a_wait(Worker& worker) {
  Pair pair(worker);
  pair.send("first");
  std::string all;
  TaskScope scope(worker);
  scope.spawn(read_to_end(worker, *pair.stream, 4096, all));
  EXPECT_EQ(all, "first");  // read at once; now it waits
  pair.send(" and last");
  pair.hang_up();
  co_await scope.join();
  EXPECT_EQ(all, "first and last");
}
TEST_F(SocketStreamTest, BytesAndTheEndWhileItWaits) { run(end_after_a_wait); }

Task<> rest_without_an_edge(Worker& worker) {
  Pair pair(worker);
  pair.send("abc");
  std::array<char, 1> one{};
  EXPECT_EQ(pair.stream->read(one).bytes, 1U);
  // Nothing arrives any more, but something is left.
  Event ready(worker);
  pair.stream->arm_read(ready);
  co_await ready.wait();
  EXPECT_EQ(pair.stream->read(one).bytes, 1U);
  EXPECT_EQ(one[0], 'b');
}
TEST_F(SocketStreamTest, WhatIsLeftWakesWhoeverArmsAgain) { run(rest_without_an_edge); }

Task<> others_have_their_turn(Worker& worker) {
  Pair greedy(worker);
  greedy.send(std::string(1000, 'x'));
  bool other_ran = false;
  TaskScope scope(worker);
  auto note = [](Event& event, bool& ran) -> Task<> {
    co_await event.wait();
    ran = true;
  };
  Event other(worker);
  scope.spawn(note(other, other_ran));
  worker.post([&other] { other.set(); });
  std::array<char, 1> one{};
  Event ready(worker);
  int reads = 0;
  while (!other_ran && reads < 1000) {
    EXPECT_EQ(greedy.stream->read(one).bytes, 1U);
    ++reads;
    greedy.stream->arm_read(ready);
    co_await ready.wait();
  }
  EXPECT_LT(reads, 10) << "whoever always has something to read kept the loop for itself";
  co_await scope.join();
}
TEST_F(SocketStreamTest, OthersHaveTheirTurnWhileMuchIsLeft) { run(others_have_their_turn); }

Task<> full_and_empty_again(Worker& worker) {
  Pair pair(worker);
  const std::string block(64 * 1024, 'w');
  size_t written = 0;
  while (true) {
    const IoResult result = pair.stream->write(block);
    if (result.would_block()) break;
    written += result.bytes;
  }
  EXPECT_TRUE(pair.stream->write("x").would_block());
  Event ready(worker);
  pair.stream->arm_write(ready);
  std::vector<char> buffer(1 << 20);
  size_t taken = 0;
  while (taken < written) {
    const ssize_t count = ::recv(pair.peer, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count <= 0) break;
    taken += static_cast<size_t>(count);
  }
  EXPECT_EQ(taken, written);
  co_await ready.wait();
  EXPECT_TRUE(pair.stream->write("x").ok());
}
TEST_F(SocketStreamTest, AFullSocketIsWritableWhenThePeerHasRead) { run(full_and_empty_again); }

Task<> closed_wakes(Worker& worker) {
  Pair pair(worker);
  Event ready(worker);
  std::array<char, 1> one{};
  EXPECT_TRUE(pair.stream->read(one).would_block());
  pair.stream->arm_read(ready);
  pair.stream->close();
  co_await ready.wait();
  EXPECT_TRUE(pair.stream->read(one).closed());
  pair.stream->arm_read(ready);  // of a closed stream: at once
  co_await ready.wait();
}
TEST_F(SocketStreamTest, ClosingWakesWhoeverWaits) { run(closed_wakes); }

Task<> gone_while_it_was_to_be_told(Worker& worker) {
  Pair kept(worker);
  auto gone = std::make_unique<Pair>(worker);
  Event ready(worker);
  gone->send("ab");
  std::array<char, 1> one{};
  EXPECT_EQ(gone->stream->read(one).bytes, 1U);
  gone->stream->arm_read(ready);  // will be told in the next round
  gone.reset();
  kept.send("c");
  kept.stream->arm_read(ready);
  co_await ready.wait();
}
TEST_F(SocketStreamTest, AStreamMayGoBeforeItIsTold) { run(gone_while_it_was_to_be_told); }

TEST_F(SocketStreamTest, UnreadBytesGoWithAStreamToAnotherLoop) {
  std::unique_ptr<Pair> pair;
  workers.run_until_done(workers[0], [&]() -> Task<> {
    auto leave = [](Worker& worker, std::unique_ptr<Pair>& out) -> Task<> {
      out = std::make_unique<Pair>(worker);
      out->send("abc");
      std::array<char, 1> one{};
      EXPECT_EQ(out->stream->read(one).bytes, 1U);
      out->stream->leave();
      co_return;
    };
    return leave(workers[0], pair);
  });
  std::string all;
  workers.run_until_done(workers[1], [&]() -> Task<> {
    auto go_on = [](Worker& worker, Pair& moved, std::string& rest) -> Task<> {
      moved.stream->join(worker);
      moved.hang_up();
      co_await read_to_end(worker, *moved.stream, 4096, rest);
      moved.stream->close();
    };
    return go_on(workers[1], *pair, all);
  });
  EXPECT_EQ(all, "bc");
}

TEST_F(SocketStreamTest, WorkIsPostedFromManyThreadsAndNoneIsLost) {
  constexpr int kThreads = 4;
  constexpr int kWorks = 5'000;
  int done = 0;  // on the worker's thread
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kWorks; ++i) workers[0].post([&done] { ++done; });
      });
    }
  }
  workers.run_on_each([](Worker&) {});  // comes after all of them
  EXPECT_EQ(done, kThreads * kWorks);
}

// Descriptors run out, and come back.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 256);
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int copy = ::dup(0); copy >= 0; copy = ::dup(0)) copies_.push_back(copy);
  }
  ~NoDescriptors() {
    for (const int copy : copies_) ::close(copy);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<int> copies_;
};

TEST_F(SocketStreamTest, AListenerGoesOnWhenDescriptorsAreThereAgain) {
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP()
      << "the sanitizer opens a pipe to look at an object, and takes it for broken when it cannot";
#endif
  WorkerGroup one(1, time);
  auto bound = bind_listeners(one, {"127.0.0.1", 0});
  ASSERT_TRUE(bound) << bound.error().message;
  std::promise<void> accepted;
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  {
    const NoDescriptors none;
    one.run_on_each([&](Worker&) {
      bound->listeners.front()->start(
          [&](const std::unique_ptr<Stream>&) { accepted.set_value(); });
    });
    const auto address = SocketAddress::from(bound->endpoint).value();
    ASSERT_EQ(::connect(client, address.get(), address.length), 0);
    one.run_on_each([](Worker&) {});
    one.run_on_each([](Worker&) {});  // by now it has tried
  }
  accepted.get_future().wait();
  one.run_on_each([&](Worker&) { bound->listeners.clear(); });
  ::close(client);
}

}  // namespace
}  // namespace partywall::net
