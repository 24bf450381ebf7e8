#include "cache/channel_names.h"

#include <gtest/gtest.h>

#include "cache/glob.h"
#include "cache/resp/resp_writer.h"
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

ChannelNames names_in_prefix_mode(std::string tag, uint32_t databases,
                                  CachePlacement placement = CachePlacement::kTagged) {
  CacheBackend backend;
  backend.mode = CacheMode::kPrefix;
  Tenant one = tenant(1, 0, databases);
  one.cache_tag = std::move(tag);
  one.cache_placement = placement;
  return {one, backend};
}

// There the channels of all tenants have the same number: only those of single keys are one's own.
TEST(ChannelNames, InPrefixModeChannelsOfKeysHaveThePrefix) {
  const ChannelNames names = names_in_prefix_mode("a", 3);
  const std::string prefix = channel_prefix(tenant(1, 0, 0).id);
  EXPECT_EQ(names.to_redis("__keyspace@0__:k"), "__keyspace@0__:tenant:{a}:k");
  EXPECT_EQ(names.to_redis("__keyspace@2__:"), "__keyspace@0__:tenant:{a}.2:");
  for (const char* name : {"__keyevent@0__:del", "__keyspace@3__:k", "__keyspace@*__:k", "news"})
    EXPECT_EQ(names.to_redis(name), prefix + name);
  EXPECT_EQ(names.from_redis("__keyspace@0__:tenant:{a}:k"), "__keyspace@0__:k");
  EXPECT_EQ(names.from_redis("__keyspace@0__:tenant:{a}.2:k:l"), "__keyspace@2__:k:l");
  for (const char* name :
       {"__keyspace@0__:tenant:{b}:k", "__keyspace@0__:tenant:{a}", "__keyspace@0__:tenant:{a}.3:k",
        "__keyspace@0__:tenant:{a}.0:k", "__keyspace@0__:tenant:{a}.02:k", "__keyevent@0__:del",
        "__keyspace@0__:tenant:{a}.x:k", "__keyspace@1__:tenant:{a}:k", "__keyspace@0__:k"}) {
    EXPECT_FALSE(names.from_redis(name)) << name;
  }
}

std::string requests(const ChannelNames& names, const Request& request, NamesAre what) {
  return with_redis_names(request, names, what).value_or("refused");
}

TEST(ChannelNames, InPrefixModeEventsAreHeardByWayOfTheKeys) {
  const ChannelNames names = names_in_prefix_mode("a", 2);
  const std::string bytes =
      make_request({"SUBSCRIBE", "news", "__keyevent@1__:del", "__keyspace@0__:k"});
  RequestParser parser;
  parser.parse(bytes, {});
  const auto pattern =
      names.key_events().to_pattern(KeyEvents::As::kChannel, "__keyevent@1__:del").value();
  ASSERT_TRUE(pattern);
  EXPECT_EQ(requests(names, parser.request(), NamesAre::kChannels),
            make_request({"SUBSCRIBE", names.to_redis("news")}) +
                make_request({"PSUBSCRIBE", *pattern}) +
                make_request({"SUBSCRIBE", "__keyspace@0__:tenant:{a}:k"}));
  const std::string long_name = "__keyevent@0__:" + std::string(2'000, 'x');
  const std::string too_long = make_request({"SUBSCRIBE", long_name});
  parser.parse(too_long, {});
  EXPECT_EQ(requests(names, parser.request(), NamesAre::kChannels), "refused");
}

// Whatever a client asks for: in Redis it is a pattern that only channels of its own keys match, in
// both placements, and from which it can be told what was asked for.
TEST(ChannelNames, InPrefixModePatternsMatchOwnKeysOnly) {
  const std::string foreign[] = {
      "__keyspace@0__:tenant:{ab}:k", "__keyspace@0__:tenant:ab:k",  "__keyspace@0__:tenant:a-b:k",
      "__keyspace@0__:tenant:a1.1:k", "__keyevent@0__:del",          "__keyspace@0__:x",
      "__keyspace@0__:tenant:{a}",    "__keyspace@0__:tenant:a",     "__keyspace@1__:tenant:{a}:k",
      "__keyspace@0__:tenant:*:k",    "__keyspace@0__:tenant:{a}x:k"};
  for (const auto placement : {CachePlacement::kTagged, CachePlacement::kSpread}) {
    const ChannelNames names = names_in_prefix_mode("a", 16, placement);
    const std::string root = placement == CachePlacement::kTagged ? "tenant:{a}" : "tenant:a";
    for (const char* asked :
         {"__keyspace@0__:*", "__keyspace@1__:*", "__keyspace@15__:[a-z]", "__keyspace@*__:*",
          "__keyevent@0__:*", "__keyevent@*__:del", "__key*__:*", "__key*@0__:\\*", "__key*@*__:x",
          "__keyspace@0__:tenant:*", "__keyspace@2__:]*", "__keyevent@3__:[^x]*"}) {
      const std::string pattern = names.pattern_to_redis(asked).value();
      for (const std::string& channel : foreign)
        EXPECT_FALSE(glob_matches(pattern, channel)) << asked << " matches " << channel;
      const auto back = names.key_events().from_pattern(pattern);
      ASSERT_TRUE(back) << pattern;
      EXPECT_EQ(back->name, asked);
      EXPECT_EQ(back->as, KeyEvents::As::kPattern);
    }
    const auto matches = [&](const char* asked, const std::string& key) {
      return glob_matches(names.pattern_to_redis(asked).value(), "__keyspace@0__:" + root + key);
    };
    EXPECT_TRUE(matches("__keyspace@0__:k*", ":key") && !matches("__keyspace@0__:k*", ":x"));
    EXPECT_TRUE(matches("__keyspace@1__:*", ".1:k") && !matches("__keyspace@1__:*", ".11:k"));
    EXPECT_TRUE(!matches("__keyspace@1__:*", ":1:k") && !matches("__keyspace@0__:*", ".1:k"));
    EXPECT_TRUE(matches("__keyevent@*__:del", ":k") && matches("__keyevent@*__:del", ".7:k"));
    EXPECT_FALSE(names.key_events().from_pattern(
        names_in_prefix_mode("b", 1).pattern_to_redis("__keyspace@0__:*").value()));
  }
  EXPECT_EQ(names_in_prefix_mode("a", 2).pattern_to_redis("__keyspace@2__:*").value(),
            channel_prefix(tenant(1, 0, 0).id) + "__keyspace@2__:*")
      << "a database that it does not have: a channel of its own, of which nobody tells";
}

}  // namespace
}  // namespace partywall::cache
