#include "cache/tenant_use.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

TEST(TenantUse, TheNarrowerLimitSaysHowManyKeysFit) {
  const Limits limits{.cache_keys = 1'000, .cache_bytes = 1'000'000};
  EXPECT_EQ(keys_that_fit(limits, {}), 1'000U) << "nothing is known of their size";
  EXPECT_EQ(keys_that_fit(limits, {.keys = 10, .bytes = 1'000, .weighed = true}), 1'000U);
  EXPECT_EQ(keys_that_fit(limits, {.keys = 10, .bytes = 100'000, .weighed = true}), 100U);
  EXPECT_EQ(keys_that_fit(limits, {.keys = 10, .bytes = 0, .weighed = true}), 1'000U);
}

TEST(TenantUse, WhatIsNotKnownIsNull) {
  EXPECT_EQ(to_json({.tenant = "acme", .limits = {.cache_keys = 5, .cache_bytes = 6}}),
            R"({"tenant":"acme","keys":null,"bytes":null,)"
            R"("quota":{"keys":5,"bytes":6,"at_quota":"refuse"},"hits":0,"misses":0,)"
            R"("hit_rate":null,"evicted_keys":0,"refused_commands":0,)"
            R"("estimated_hit_rate":{"at_quota":null,"at_double_quota":null}})");
}

}  // namespace
}  // namespace partywall::cache
