#include "net/stream.h"

#include "net/scope.h"
#include "support/simulated_loop.h"

namespace partywall::net {
namespace {

using test::make_stream_pair;
using test::SimulatedLoop;

Task<> send_all(Loop& loop, Stream& stream, std::string bytes, Result<>& outcome) {
  outcome = co_await write_all(loop, stream, bytes, seconds(5));
  stream.shutdown_write();
}

Task<> receive_all(Loop& loop, Stream& stream, std::string& received, Error& end) {
  std::array<char, 100> buffer{};
  while (true) {
    const auto count = co_await read_some(loop, stream, buffer, seconds(5));
    if (!count) {
      end = count.error();
      co_return;
    }
    received.append(buffer.data(), *count);
  }
}

TEST(StreamTest, EverythingArrivesThroughSmallBuffersAndShortReads) {
  for (const size_t most : {size_t{1}, size_t{7}, SIZE_MAX}) {
    SimulatedLoop loop;
    auto [left, right] =
        make_stream_pair({.capacity_bytes = 10, .most_per_read = most, .most_per_write = most});
    TaskScope scope(loop);
    const std::string sent(1'000, 'x');
    std::string received;
    Result<> outcome;
    Error end;
    scope.spawn(send_all(loop, *left, sent, outcome));
    scope.spawn(receive_all(loop, *right, received, end));
    loop.run_ready();
    EXPECT_TRUE(outcome);
    EXPECT_EQ(received, sent);
    EXPECT_EQ(end.kind, ErrorKind::kClosed);
    EXPECT_EQ(scope.running(), 0u);
  }
}

TEST(StreamTest, SilenceAndAFullPeerTimeOut) {
  SimulatedLoop loop;
  auto [left, right] = make_stream_pair({.capacity_bytes = 10});
  TaskScope scope(loop);
  std::string received;
  Result<> outcome;
  Error end;
  scope.spawn(receive_all(loop, *left, received, end));
  scope.spawn(send_all(loop, *left, std::string(100, 'x'), outcome));
  loop.advance(seconds(6));
  EXPECT_EQ(end.kind, ErrorKind::kTimeout);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(scope.running(), 0u);
}

TEST(StreamTest, ClosingWakesTheOtherEnd) {
  SimulatedLoop loop;
  auto [left, right] = make_stream_pair();
  TaskScope scope(loop);
  std::string received;
  Error end;
  scope.spawn(receive_all(loop, *left, received, end));
  right.reset();
  loop.run_ready();
  EXPECT_EQ(end.kind, ErrorKind::kClosed);
}

}  // namespace
}  // namespace partywall::net
