#include "store/usage/usage_spool.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace partywall::store {
namespace {

class UsageSpoolTest : public testing::Test {
 protected:
  static UsageReport report(uint64_t number) {
    const WallTime started(seconds(1'800'000'000 + 10 * number));
    return {.node = "node-a",
            .interval = {.run = Uuid::from_halves(1, 2),
                         .number = number,
                         .started = started,
                         .ended = started + seconds(10),
                         .tenants = {}}};
  }

  TemporaryDirectory directory_;
  std::string folder_ = directory_.path() + "/spool";
};

TEST_F(UsageSpoolTest, TheNextProcessFindsWhatWasNotSentTheOldestFirst) {
  {
    UsageSpool spool = UsageSpool::open(folder_).value();
    for (const uint64_t number : {1, 2, 3}) ASSERT_TRUE(spool.put(report(number)));
    EXPECT_EQ(spool.first(), report(1));
    spool.remove_first();
  }
  UsageSpool spool = UsageSpool::open(folder_).value();
  EXPECT_EQ(spool.size(), 2U);
  EXPECT_EQ(spool.first(), report(2));
  spool.remove_first();
  EXPECT_EQ(spool.first(), report(3));
  spool.remove_first();
  EXPECT_FALSE(spool.first());
  EXPECT_EQ(UsageSpool::open(folder_).value().size(), 0U);
}

TEST_F(UsageSpoolTest, AFileThatIsNoIntervalIsPutAsideAndBlocksNothing) {
  UsageSpool spool = UsageSpool::open(folder_).value();
  for (const uint64_t number : {1, 2}) ASSERT_TRUE(spool.put(report(number)));
  const auto first = std::filesystem::directory_iterator(folder_);
  std::string oldest;
  for (const auto& entry : first) {
    const std::string path = entry.path().string();
    if (oldest.empty() || path < oldest) oldest = path;
  }
  std::ofstream(oldest) << "{";
  EXPECT_EQ(spool.first(), report(2));
  EXPECT_EQ(spool.lost(), 1U);
  EXPECT_TRUE(std::filesystem::exists(oldest + ".broken"));
  EXPECT_EQ(UsageSpool::open(folder_).value().size(), 1U);
}

TEST_F(UsageSpoolTest, WhatCannotBeWrittenWaitsInMemory) {
  UsageSpool spool = UsageSpool::open(folder_).value();
  std::filesystem::remove_all(folder_);
  EXPECT_FALSE(spool.put(report(1)));
  EXPECT_EQ(spool.first(), report(1));
  spool.remove_first();
  EXPECT_EQ(spool.size(), 0U);
}

TEST_F(UsageSpoolTest, MemoryIsBoundedAndTheOldestGo) {
  UsageSpool spool = UsageSpool::open("").value();
  const uint64_t most = UsageSpool::kMostInMemory;
  for (uint64_t number = 1; number <= most + 2; ++number) ASSERT_TRUE(spool.put(report(number)));
  EXPECT_EQ(spool.size(), most);
  EXPECT_EQ(spool.lost(), 2U);
  EXPECT_EQ(spool.first(), report(3));
  spool.drop_before(report(4).interval.ended);
  EXPECT_EQ(spool.first(), report(4));
  EXPECT_EQ(spool.lost(), 3U);
}

}  // namespace
}  // namespace partywall::store
