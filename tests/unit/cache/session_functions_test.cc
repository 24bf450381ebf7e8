#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/session_fsm.h"
#include "cache/session_world.h"

// FCALL of what the operator provides.
namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(Functions, AreThoseThatTheOperatorProvides) {
  SessionWorld world;
  const auto client = world.connect();
  world.ask(*client, "AUTH acme 'acme secret'\r\n");
  EXPECT_THAT(world.ask(*client, "FCALL f 0\r\n"), StartsWith("-NOPERM function 'f'"));
  EXPECT_EQ(world.ask(*client, "FUNCTION LIST\r\n"), "*0\r\n");
  EXPECT_THAT(world.redis.log, IsEmpty());
  world.publish([](DirectoryData& data) {
    data.cells[0].cache.functions = {{.name = "one", .functions = {"f", "g"}},
                                     {.name = "two", .functions = {"h"}}};
  });
  world.ask(*client, "fcall F 0\r\n");
  EXPECT_THAT(world.redis.log.back(), ElementsAre("fcall", "F", "0"));
  EXPECT_THAT(world.ask(*client, "FCALL_RO other 0\r\n"), StartsWith("-NOPERM"));
  EXPECT_THAT(world.ask(*client, "MULTI\r\nFCALL other 0\r\nEXEC\r\n"), HasSubstr("-EXECABORT"));
  EXPECT_THAT(world.ask(*client, "FUNCTION LIST LIBRARYNAME t*\r\n"),
              testing::AllOf(HasSubstr("two"), HasSubstr("$1\r\nh\r\n"), Not(HasSubstr("one"))));
  EXPECT_THAT(world.ask(*client, "FUNCTION LIST WITHCODE\r\n"), StartsWith("-NOPERM"));
  EXPECT_THAT(world.ask(*client, "FUNCTION FLUSH\r\n"), StartsWith("-NOPERM"));
}

}  // namespace
}  // namespace partywall::cache
