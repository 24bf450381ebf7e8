#include "store/usage/usage_document.h"

#include <gtest/gtest.h>

namespace partywall::store {
namespace {

UsageReport example_report() {
  UsageReport report{.node = "node \"a\"",
                     .interval = {.run = Uuid::from_halves(1, 2),
                                  .number = 7,
                                  .started = WallTime(milliseconds(1'700'000'000'000)),
                                  .ended = WallTime(milliseconds(1'700'000'010'001)),
                                  .is_last = true,
                                  .tenants = {}}};
  UsageCounts counts;
  for (size_t i = 0; i < kUsageMeterCount; ++i)
    counts.add(static_cast<UsageMeter>(i), uint64_t{1} << (i * 3));
  report.interval.tenants.push_back(
      {.tenant = TenantId(Uuid::from_halves(3, 4)), .counts = counts});
  UsageCounts few;
  few.add(UsageMeter::kCacheHits, 1);
  report.interval.tenants.push_back({.tenant = TenantId(Uuid::from_halves(3, 5)), .counts = few});
  return report;
}

TEST(UsageDocumentTest, IsReadAsItWasWritten) {
  const auto read = read_usage_report(write_usage_report(example_report()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example_report());
}

TEST(UsageDocumentTest, WhatIsZeroIsLeftOut) {
  const auto tenants = example_report().interval.tenants;
  EXPECT_EQ(write_usage_counts(std::span(tenants).last(1)),
            R"([{"tenant":"00000000-0000-0003-0000-000000000005","cache_hits":1}])");
}

TEST(UsageDocumentTest, AMeterOfANewerReleaseIsLeftOut) {
  std::string text = write_usage_report(example_report());
  const std::string known = R"("cache_hits":1})";
  text.replace(text.rfind(known), known.size(), R"("cache_hits":1,"gpu_us":9})");
  const auto read = read_usage_report(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example_report());
}

TEST(UsageDocumentTest, EveryCutIsRefused) {
  const std::string text = write_usage_report(example_report());
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(read_usage_report(std::string_view(text).substr(0, size))) << size;
}

TEST(UsageDocumentTest, WhatIsMissingOrNoNumberIsNamed) {
  const std::string whole = write_usage_report(example_report());
  for (const std::string member :
       {"node", "number", "started_ms", "ended_ms", "is_last", "tenants"}) {
    std::string text = whole;
    text.replace(text.find("\"" + member + "\""), member.size() + 2, "\"other\"");
    const auto read = read_usage_report(text);
    ASSERT_FALSE(read) << member;
    EXPECT_TRUE(read.error().message.contains(member)) << read.error().message;
  }
  std::string negative = whole;
  const std::string known = R"("cache_hits":1})";
  negative.replace(negative.rfind(known), known.size(), R"("cache_hits":-1})");
  EXPECT_FALSE(read_usage_report(negative));
}

}  // namespace
}  // namespace partywall::store
