#include "sql/slow/slow_log.h"

#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

MonotonicTime at(Duration since) { return MonotonicTime(since); }

SlowLog::Entry entry(uint32_t tenant, std::string text = "SELECT 'secret'") {
  return {.number = TenantNumber(tenant),
          .tenant = "acme",
          .cell = "main",
          .statement = {.text = std::move(text), .syntax = {}}};
}

TEST(SlowLog, WritesWithoutConstants) {
  std::vector<std::string> written;
  SlowLog log([&](const SlowLog::Entry& one, const std::string& text) {
    written.push_back(one.tenant + ": " + text);
  });
  EXPECT_TRUE(log.submit(entry(1), at(seconds(1))));
  EXPECT_TRUE(log.submit(entry(1, "SELECT 2"), at(seconds(1))));
  log.stop();
  EXPECT_EQ(written, (std::vector<std::string>{"acme: SELECT ?", "acme: SELECT ?"}));
  EXPECT_EQ(log.dropped(), 0u);
  EXPECT_FALSE(log.submit(entry(1), at(seconds(1))));
}

// One whose statements are all slow takes no line from another.
TEST(SlowLog, ATenantCannotFillIt) {
  std::atomic<int> written = 0;
  SlowLog log([&](const SlowLog::Entry&, const std::string&) { ++written; });
  int taken = 0;
  for (int i = 0; i < 5'000; ++i) taken += log.submit(entry(1), at(seconds(1))) ? 1 : 0;
  EXPECT_EQ(taken, 50);
  EXPECT_EQ(log.dropped(), 4'950u);
  EXPECT_TRUE(log.submit(entry(2), at(seconds(1))));
  EXPECT_TRUE(log.submit(entry(1), at(seconds(2))));
  log.stop();
  EXPECT_EQ(written, 52);
}

TEST(SlowLog, TheQueueIsBounded) {
  std::mutex hold;
  std::unique_lock held(hold);
  SlowLog log([&](const SlowLog::Entry&, const std::string&) { const std::lock_guard wait(hold); });
  uint32_t taken = 0;
  for (uint32_t tenant = 0; tenant < 1'500; ++tenant)
    taken += log.submit(entry(tenant), at(seconds(1))) ? 1 : 0;
  EXPECT_GE(taken, 1'000u);
  EXPECT_LE(taken, 1'001u);
  EXPECT_EQ(log.dropped(), 1'500u - taken);
  held.unlock();
  log.stop();
}

}  // namespace
}  // namespace partywall::sql
