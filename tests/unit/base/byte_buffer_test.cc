#include "base/byte_buffer.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall {
namespace {

TEST(ByteBuffer, IsAQueueOfBytes) {
  ByteBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("hello ");
  buffer.append("");
  buffer.append("world");
  EXPECT_EQ(buffer.view(), "hello world");
  buffer.consume(6);
  EXPECT_EQ(buffer.view(), "world");
  buffer.consume(5);
  EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, PreparedSpaceIsFilledAndCommitted) {
  ByteBuffer buffer;
  buffer.append("ab");
  const std::span<char> space = buffer.prepare(3);
  ASSERT_GE(space.size(), 3U);
  std::copy_n("cde", 3, space.begin());
  buffer.commit(2);
  EXPECT_EQ(buffer.view(), "abcd");
}

TEST(ByteBuffer, HoldsNoMemoryAfterRelease) {
  ByteBuffer buffer;
  buffer.append("x");
  buffer.consume(1);
  EXPECT_GT(buffer.capacity(), 0U);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("y");
  EXPECT_EQ(buffer.view(), "y");
}

TEST(ByteBuffer, AMovedFromBufferIsEmptyAndUsable) {
  ByteBuffer first;
  first.append("abc");
  ByteBuffer second(std::move(first));
  EXPECT_EQ(second.view(), "abc");
  first.append("x");  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(first.view(), "x");
  first = std::move(second);
  EXPECT_EQ(first.view(), "abc");
}

// A queue that is used steadily does not grow without end: space in front is used again.
TEST(ByteBuffer, SteadyUseDoesNotGrow) {
  ByteBuffer buffer;
  const std::string chunk(700, 'x');
  buffer.append(chunk);
  for (int i = 0; i < 10'000; ++i) {
    buffer.append(chunk);
    buffer.consume(700);
  }
  EXPECT_LE(buffer.capacity(), 4'096U);
}

TEST(ByteBufferProperty, BehavesLikeAString) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    ByteBuffer buffer;
    std::string model;
    for (int step = 0; step < 400; ++step) {
      switch (random.below(5)) {
        case 0:
        case 1: {
          const std::string bytes = random.alphanumeric(random.below(900));
          buffer.append(bytes);
          model += bytes;
          break;
        }
        case 2: {
          const size_t count = random.below(model.size() + 1);
          buffer.consume(count);
          model.erase(0, count);
          break;
        }
        case 3: {
          const size_t wanted = 1 + random.below(2'000);
          const std::span<char> space = buffer.prepare(wanted);
          ASSERT_GE(space.size(), wanted);
          const size_t used = random.below(wanted + 1);
          std::fill_n(space.begin(), used, 'z');
          buffer.commit(used);
          model.append(used, 'z');
          break;
        }
        default:
          if (random.below(20) == 0) {
            buffer.clear();
            model.clear();
          }
      }
      ASSERT_EQ(buffer.view(), model);
    }
  }
}

}  // namespace
}  // namespace partywall
