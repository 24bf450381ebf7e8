#include "tenancy/terms.h"

#include <gtest/gtest.h>

#include "tenancy/shipped_tiers.h"

namespace partywall {
namespace {

JsonValue json(std::string_view text) { return JsonValue::parse(text).value(); }

// Every member differs from its default. A member that is new to one of these structures breaks
// the build here: give it a term, or the control store would lose it.
Terms strange_terms() {
  Terms terms;
  auto& [requests, api, connections, cpu, timeout, memory, keys, bytes, at_quota, spaces, databases,
         cache, cache_time, script_time, scripts] = terms.limits;
  auto& [error_share, slow] = terms.alarms;
  requests = 77;
  api = {.tokens = 1, .period = hours(1), .burst = 2};
  connections = 78;
  cpu = seconds(79);
  timeout = milliseconds(80);
  memory = 81ULL << 20;
  keys = 82;
  bytes = 83ULL << 20;
  at_quota = CacheAtQuota::kEvict;
  spaces = {{.prefix = "page:", .at_quota = CacheAtQuota::kEvict}, {.prefix = "job:"}};
  databases = 16;
  cache = {.tokens = 3, .period = minutes(1), .burst = 4};
  cache_time = milliseconds(86);
  script_time = milliseconds(187);
  scripts = CacheScripts::kFunctions;
  error_share = 0.25;
  slow = milliseconds(84);
  terms.weight = 85;
  return terms;
}

TEST(Terms, EveryMemberSurvivesTheWayThroughJson) {
  Terms read;
  ASSERT_TRUE(set_terms(read, to_json(strange_terms())));
  EXPECT_EQ(read, strange_terms());
}

TEST(Terms, ShippedTiersSurviveTheWayThroughJson) {
  for (const Tier& tier : shipped_tiers()) {
    Terms read = strange_terms();
    ASSERT_TRUE(set_terms(read, to_json(terms_of(tier))));
    EXPECT_EQ(read, terms_of(tier)) << tier.name;
  }
}

TEST(Terms, TheDifferenceIsWhatMakesOneOfTheOther) {
  Terms base;
  const JsonValue changes = difference(strange_terms(), base);
  EXPECT_EQ(changes.as_object()->size(), term_names().size());
  ASSERT_TRUE(set_terms(base, changes));
  EXPECT_EQ(base, strange_terms());
  EXPECT_TRUE(difference(base, base).as_object()->empty());
}

TEST(Terms, OneTermIsChangedAndTheOthersStay) {
  Terms terms;
  ASSERT_TRUE(set_term(terms, "api_rate", json(R"({"burst": 30})")));
  EXPECT_EQ(terms.limits.api_rate, (RateLimit{100, minutes(1), 30}));
  EXPECT_EQ(get_term(terms, "api_rate"), json(R"({"tokens":100,"period_ms":60000,"burst":30})"));
}

TEST(Terms, WhatIsWrongIsSaidAndChangesNothing) {
  Terms terms;
  const auto message = [&](std::string_view name, std::string_view value) {
    return set_term(terms, name, json(value)).error().message;
  };
  const std::string unknown = message("api_rate_limit", "1");
  EXPECT_TRUE(unknown.starts_with("there is no limit 'api_rate_limit'; there are: ")) << unknown;
  for (const std::string_view name : term_names()) EXPECT_TRUE(unknown.contains(name)) << name;
  EXPECT_EQ(message("weight", "0"), "weight must be a whole number, 1 to 1000");
  EXPECT_EQ(message("weight", "-1"), "weight must be a whole number, 1 to 1000");
  EXPECT_EQ(message("weight", "1.5"), "weight must be a whole number, 1 to 1000");
  EXPECT_EQ(message("weight", "\"4\""), "weight must be a whole number, 1 to 1000");
  EXPECT_EQ(message("cache_at_quota", "\"drop\""), "cache_at_quota must be refuse or evict");
  EXPECT_EQ(message("cache_at_quota", "1"), "cache_at_quota must be refuse or evict");
  for (const char* const wrong : {"\"some\"", "\"\"", "false", "null"})
    EXPECT_EQ(message("cache_scripts", wrong), "cache_scripts must be any, functions or none");
  EXPECT_EQ(message("cache_key_spaces", R"([{"prefix":"a","at_quota":"drop"}])"),
            "cache_key_spaces at_quota must be refuse or evict");
  for (const char* const wrong : {"1", R"(["a"])", R"([{"prefix":"a"}])",
                                  R"([{"prefix":"a","at_quota":"evict","more":1}])"}) {
    EXPECT_EQ(message("cache_key_spaces", wrong),
              "cache_key_spaces must be a list of objects of prefix and at_quota");
  }
  EXPECT_EQ(message("cache_key_spaces", R"([{"prefix":"","at_quota":"evict"}])"),
            "cache_key_spaces cannot be so: a prefix must not be empty: `at_quota` says it for all "
            "keys");
  EXPECT_EQ(message("alarm_error_share", "1.1"), "alarm_error_share must be a number, 0 to 1");
  EXPECT_EQ(message("api_rate", "5"), "api_rate must be an object of tokens, period_ms and burst");
  EXPECT_EQ(message("api_rate", R"({"tokens": 5, "burst": 0})"),
            "api_rate burst must be a whole number, 1 to 10000000");
  EXPECT_FALSE(set_terms(terms, json(R"({"weight": 5, "cache_keys": -1})")));
  EXPECT_EQ(terms, Terms());
}

}  // namespace
}  // namespace partywall
