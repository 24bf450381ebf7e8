#include "cache/slot_map.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

const Endpoint kAsked{"127.0.0.1", 7000};

TEST(HashSlot, IsWhatRedisComputes) {
  EXPECT_EQ(hash_slot("123456789"), 0x31C3);  // the example of the specification
  EXPECT_EQ(hash_slot("foo"), 12182);
  EXPECT_EQ(hash_slot(""), 0);
}

TEST(HashSlot, OnlyTheTagCounts) {
  EXPECT_EQ(hash_slot("{user1000}.following"), hash_slot("user1000"));
  EXPECT_EQ(hash_slot("a{b}c{d}"), hash_slot("b"));
  EXPECT_EQ(hash_slot("foo{{bar}}zap"), hash_slot("{bar"));
  // An empty tag is none, and so is one without an end.
  EXPECT_NE(hash_slot("foo{}{bar}"), hash_slot("bar"));
  EXPECT_NE(hash_slot("foo{bar"), hash_slot("bar"));
}

constexpr std::string_view kNodes =
    "a1 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-99 200 [300-<-b2]\n"
    "b2 127.0.0.1:7001@17001,name master - 0 0 2 connected 100-199 201-16383\n"
    "c3 127.0.0.1:7002@17002 slave a1 0 0 1 connected\n"
    "d4 :0@0 master,noaddr - 0 0 3 disconnected\n";

TEST(SlotMap, KnowsWhoHasWhat) {
  const auto map = SlotMap::parse(kNodes, kAsked);
  ASSERT_TRUE(map);
  EXPECT_EQ(*map->find(0), (Endpoint{"127.0.0.1", 7000}));
  EXPECT_EQ(*map->find(99), (Endpoint{"127.0.0.1", 7000}));
  EXPECT_EQ(*map->find(100), (Endpoint{"127.0.0.1", 7001}));
  EXPECT_EQ(*map->find(200), (Endpoint{"127.0.0.1", 7000}));
  EXPECT_EQ(*map->find(16383), (Endpoint{"127.0.0.1", 7001}));
  EXPECT_EQ(map->nodes().size(), 3u);
}

TEST(SlotMap, SlotsOfNobodyAreNotFound) {
  const auto map = SlotMap::parse("a1 127.0.0.1:7000@17000 master - 0 0 1 connected 5-9\n", kAsked);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->find(4), nullptr);
  EXPECT_NE(map->find(5), nullptr);
  EXPECT_EQ(map->find(10), nullptr);
}

TEST(SlotMap, ANodeThatDoesNotKnowItsAddressHasTheOneItWasAskedAt) {
  const auto map = SlotMap::parse("a1 :7005@17005 myself,master - 0 0 1 connected 0\n", kAsked);
  ASSERT_TRUE(map);
  EXPECT_EQ(*map->find(0), (Endpoint{"127.0.0.1", 7005}));
}

TEST(SlotMap, TakesIpv6) {
  const auto map = SlotMap::parse("a1 ::1:7005@17005 master - 0 0 1 connected 0\n", kAsked);
  ASSERT_TRUE(map);
  EXPECT_EQ(*map->find(0), (Endpoint{"::1", 7005}));
}

TEST(SlotMap, RefusesWhatIsNotOne) {
  for (const char* text :
       {"a1 127.0.0.1:7000@17000 master - 0 0 1", "a1 host:7000@17000 master - 0 0 1 connected 0\n",
        "a1 127.0.0.1:7000 master - 0 0 1 connected 9-5\n",
        "a1 127.0.0.1:7000 master - 0 0 1 connected 16384\n",
        "a1 127.0.0.1:7000 master - 0 0 1 connected 0-5 5-6\n",
        "a1 127.0.0.1:7000 master - 0 0 1 connected 1-2-3\n"}) {
    EXPECT_FALSE(SlotMap::parse(text, kAsked)) << text;
  }
}

}  // namespace
}  // namespace partywall::cache
