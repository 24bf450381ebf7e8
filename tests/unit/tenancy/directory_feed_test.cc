#include "tenancy/directory_feed.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace partywall {
namespace {

DirectoryRef version(uint64_t number) {
  DirectoryData data;
  data.version = number;
  return *Directory::build(std::move(data));
}

TEST(DirectoryFeed, CallsBackAtOnceAndAtEachChange) {
  DirectoryFeed feed(version(1));
  std::vector<uint64_t> seen;
  const auto subscription =
      feed.subscribe([&](const DirectoryRef& d) { seen.push_back(d->version()); });
  feed.publish(version(2));
  feed.publish(version(5));
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2, 5}));
  EXPECT_EQ(feed.current()->version(), 5U);
}

TEST(DirectoryFeed, NeverGoesBack) {
  DirectoryFeed feed(version(5));
  std::vector<uint64_t> seen;
  const auto subscription =
      feed.subscribe([&](const DirectoryRef& d) { seen.push_back(d->version()); });
  feed.publish(version(4));
  feed.publish(version(5));
  EXPECT_EQ(seen, (std::vector<uint64_t>{5}));
  EXPECT_EQ(feed.current()->version(), 5U);
}

TEST(DirectoryFeed, ADroppedSubscriptionIsCalledNoMore) {
  DirectoryFeed feed(version(1));
  int first = 0;
  int second = 0;
  auto kept = feed.subscribe([&](const DirectoryRef&) { ++first; });
  {
    auto dropped = feed.subscribe([&](const DirectoryRef&) { ++second; });
    auto moved = std::move(dropped);
    feed.publish(version(2));
  }
  feed.publish(version(3));
  kept.cancel();
  kept.cancel();
  feed.publish(version(4));
  EXPECT_EQ(first, 3);
  EXPECT_EQ(second, 2);
}

TEST(DirectoryFeed, AssigningASubscriptionCancelsTheOldOne) {
  DirectoryFeed feed(version(1));
  int first = 0;
  int second = 0;
  auto subscription = feed.subscribe([&](const DirectoryRef&) { ++first; });
  subscription = feed.subscribe([&](const DirectoryRef&) { ++second; });
  feed.publish(version(2));
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(DirectoryFeed, PublishersOnSeveralThreadsEndAtTheNewest) {
  DirectoryFeed feed(version(0));
  std::vector<uint64_t> seen;  // callbacks never overlap
  const auto subscription =
      feed.subscribe([&](const DirectoryRef& d) { seen.push_back(d->version()); });
  std::vector<std::jthread> threads;
  for (uint64_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&feed, thread] {
      for (uint64_t i = 0; i < 100; ++i) feed.publish(version(1 + i * 3 + thread));
    });
  }
  threads.clear();
  EXPECT_EQ(feed.current()->version(), 300U);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

}  // namespace
}  // namespace partywall
