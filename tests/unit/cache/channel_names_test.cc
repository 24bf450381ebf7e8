#include "cache/channel_names.h"

#include <gtest/gtest.h>

#include "cache/glob.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

Tenant tenant(uint64_t id, uint32_t first, uint32_t databases) {
  Tenant tenant;
  tenant.id = TenantId(Uuid::from_halves(id, id));
  tenant.cache_database = first;
  tenant.limits.cache_databases = databases;
  return tenant;
}

// Of the tenant on the databases 12 to 14.
const ChannelNames kNames(tenant(1, 12, 3), CacheBackend());
// Of one with database 5 alone.
const ChannelNames kSingle(tenant(2, 5, 1), CacheBackend());

TEST(ChannelNames, KeyspaceChannelsAreThoseOfTheOwnDatabases) {
  EXPECT_EQ(kNames.to_redis("__keyspace@0__:a:b"), "__keyspace@12__:a:b");
  EXPECT_EQ(kNames.to_redis("__keyevent@2__:del"), "__keyevent@14__:del");
  EXPECT_EQ(kNames.from_redis("__keyspace@13__:x"), "__keyspace@1__:x");
  const std::string prefix = channel_prefix(tenant(1, 0, 0).id);
  for (const char* name : {"news", "__keyspace@3__:a", "__keyspace@12__:a", "__keyspace@0", "",
                           "__keyspace@*__:a", "__key*@0__:a", "__keyspace@-1__:a", "__redis__:x"})
    EXPECT_EQ(kNames.to_redis(name), prefix + name);
  for (const char* name : {"__keyspace@11__:x", "__keyspace@15__:x", "__keyspace@1__:x", "news",
                           "__key*@12__:x", "", "__keyspace@4294967308__:x"})
    EXPECT_FALSE(kNames.from_redis(name)) << name;
}

TEST(ChannelNames, PatternsComeBackAsTheyWereGiven) {
  for (const char* pattern : {"__keyspace@0__:*", "__keyevent@*__:expired", "__key*@0__:*",
                              "__key*__:*", "__key*@*__:x*", "news.*", "*", "__keyspace@1__:*",
                              "__keyspace@[5]__:*", "__keyspace@[0-9]__:*", "[_]_keyspace@*"}) {
    const auto redis = kSingle.pattern_to_redis(pattern);
    ASSERT_TRUE(redis) << pattern;
    EXPECT_EQ(kSingle.pattern_from_redis(*redis), pattern) << *redis;
  }
  EXPECT_EQ(kSingle.pattern_to_redis("__keyspace@0__:a*").value(), "__keyspace@5__:a*");
  EXPECT_FALSE(kNames.pattern_to_redis("__keyspace@*__:*"));
  EXPECT_FALSE(kNames.pattern_to_redis("__key*__:*"));
  EXPECT_EQ(kNames.pattern_to_redis("__keyevent@2__:*").value(), "__keyevent@14__:*");
}

// Whatever a pattern matches in Redis: what is another tenant's has no name for this one.
TEST(ChannelNames, NoPatternGivesNamesToForeignChannels) {
  const std::string foreign[] = {"__keyspace@6__:k", "__keyevent@6__:del", "__keyspace@6__:x@5__:y",
                                 "__keyspace@55__:k", channel_prefix(tenant(1, 0, 0).id) + "news"};
  for (const char* pattern : {"*", "__key*", "__key*@0__:*", "__key*__:*", "__keyspace@*__:*",
                              "__keyspace@[5-6]__:*", "__keyspace@?__:*", "*@6__:*"}) {
    const std::string redis = kSingle.pattern_to_redis(pattern).value();
    for (const std::string& channel : foreign) {
      if (glob_matches(redis, channel))
        EXPECT_FALSE(kSingle.from_redis(channel)) << pattern << " gives " << channel;
    }
  }
  EXPECT_TRUE(
      glob_matches(kSingle.pattern_to_redis("__key*@0__:*").value(), "__keyspace@6__:x@5__:y"))
      << "the trap that the check of every message is for";
}

// There the channels of all tenants have the same number: none of them may be heard.
TEST(ChannelNames, InPrefixModeThereAreNoKeyspaceChannels) {
  CacheBackend backend;
  backend.mode = CacheMode::kPrefix;
  const ChannelNames names(tenant(1, 0, 1), backend);
  const std::string prefix = channel_prefix(tenant(1, 0, 0).id);
  for (const char* name : {"__keyspace@0__:k", "__keyevent@0__:del"}) {
    EXPECT_EQ(names.to_redis(name), prefix + name);
    EXPECT_FALSE(names.from_redis(name));
  }
  for (const char* pattern :
       {"__keyspace@0__:*", "__keyspace@*__:*", "__key*__:*", "__key*@0__:*"}) {
    EXPECT_EQ(names.pattern_to_redis(pattern).value(), prefix + pattern);
    EXPECT_FALSE(names.pattern_from_redis(pattern));
  }
}

}  // namespace
}  // namespace partywall::cache
