#include <gtest/gtest.h>

#include "cache/session_world.h"

namespace partywall::cache {
namespace {

// A count is good for seconds, and a weighing of many keys may take longer: what is counted before
// it is counted again, and not taken for a tenant that is full.
TEST(SessionQuota, AWeighingThatTakesLongRefusesNothing) {
  SessionWorld world;
  world.publish([](DirectoryData& data) { data.tenants[0].limits.cache_bytes = 100'000; });
  int weighings = 0;
  world.redis.answer_eval = [&]() -> std::string {
    ++weighings;
    world.time.advance(seconds(30));
    return "*2\r\n:0\r\n:100\r\n";
  };
  const auto client = world.connect();
  EXPECT_EQ(world.ask(*client, "AUTH acme 'acme secret'\r\n"), "+OK\r\n");
  const std::string big(5'000, 'x');
  EXPECT_EQ(world.ask(*client, make_request({"SET", "a", big})), "+OK\r\n");
  for (int round = 0; round < 3; ++round) {
    world.time.advance(seconds(60));
    EXPECT_EQ(world.ask(*client, "SORT a STORE b\r\n"), "$1\r\na\r\n") << round;
  }
  EXPECT_GE(weighings, 1);
}

}  // namespace
}  // namespace partywall::cache
