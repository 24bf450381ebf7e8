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
  EXPECT_EQ(
      to_json({.tenant = "acme", .limits = {.cache_keys = 5, .cache_bytes = 6}}),
      R"({"tenant":"acme","keys":null,"bytes":null,)"
      R"("quota":{"keys":5,"bytes":6,"at_quota":"refuse","key_spaces":[]},"hits":0,"misses":0,)"
      R"("hit_rate":null,"evicted_keys":0,"refused_commands":0,"nothing_to_evict":0,)"
      R"("estimated_hit_rate":{"at_quota":null,"at_double_quota":null}})");
}

TEST(TenantUse, ShowsTheKeySpaces) {
  const Limits limits{.cache_key_spaces = {{.prefix = "page:", .at_quota = CacheAtQuota::kEvict},
                                           {.prefix = "job:"}}};
  EXPECT_NE(to_json({.tenant = "acme", .limits = limits, .nothing_to_evict = 3})
                .find(R"("key_spaces":[{"prefix":"page:","at_quota":"evict"},)"
                      R"({"prefix":"job:","at_quota":"refuse"}]})"),
            std::string::npos);
}

}  // namespace
}  // namespace partywall::cache
