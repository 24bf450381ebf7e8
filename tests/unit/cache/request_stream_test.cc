#include "cache/resp/request_stream.h"

#include <random>

#include <gtest/gtest.h>

#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

constexpr RequestLimits kLimits{};

// Feeds the bytes in parts, as a session does: what was not taken comes again.
RequestStream::Status feed_in_parts(RequestStream& stream, std::string_view bytes,
                                    std::mt19937_64& random, size_t& taken,
                                    const RequestLimits& limits = kLimits) {
  size_t offered = 0;
  taken = 0;
  while (offered < bytes.size()) {
    offered = std::min(bytes.size(), offered + 1 + random() % 7);
    const auto step = stream.feed(bytes.substr(taken, offered - taken), limits);
    taken += step.bytes;
    if (step.status != RequestStream::Status::kIncomplete) return step.status;
  }
  return RequestStream::Status::kIncomplete;
}

TEST(RequestStream, EndsWhereTheRequestEnds) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const auto arguments = static_cast<uint32_t>(1 + random() % 5);
    std::string bytes;
    for (uint32_t i = 0; i < arguments; ++i)
      append_bulk(bytes, std::string(random() % 20, random() % 2 == 0 ? '\r' : '$'));
    RequestStream stream(arguments, 10);
    size_t taken = 0;
    ASSERT_EQ(feed_in_parts(stream, bytes + "*1\r\n$4\r\nPING\r\n", random, taken),
              RequestStream::Status::kDone);
    ASSERT_EQ(taken, bytes.size());
  }
}

TEST(RequestStream, IsAsStrictAsTheParser) {
  for (const char* bytes : {"x", "$-1\r\n", "$01\r\nx\r\n", "$1\nx\r\n", "$1\r\nxy\r\n",
                            "$1\r\nx\n\n", "$1\r\nx\r\r", ":1\r\n", "$16777217\r\n", "$x\r\n"}) {
    for (uint64_t seed = 1; seed < 20; ++seed) {
      std::mt19937_64 random(seed);
      RequestStream stream(1, 10);
      size_t taken = 0;
      ASSERT_EQ(feed_in_parts(stream, bytes, random, taken), RequestStream::Status::kInvalid)
          << bytes;
      EXPECT_FALSE(stream.problem().empty());
    }
  }
}

TEST(RequestStream, BoundsTheWholeRequest) {
  const RequestLimits limits{.max_argument_bytes = 100, .max_request_bytes = 150};
  std::mt19937_64 random(1);
  std::string bytes;
  append_bulk(bytes, std::string(60, 'x'));
  append_bulk(bytes, std::string(60, 'x'));
  RequestStream fits(2, 10);
  RequestStream too_big(2, 20);
  size_t taken = 0;
  EXPECT_EQ(feed_in_parts(fits, bytes, random, taken, limits), RequestStream::Status::kDone);
  EXPECT_EQ(feed_in_parts(too_big, bytes, random, taken, limits), RequestStream::Status::kInvalid);
  EXPECT_EQ(too_big.problem(), "too big request");
}

}  // namespace
}  // namespace partywall::cache
