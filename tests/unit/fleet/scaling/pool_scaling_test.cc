#include "fleet/scaling/pool_scaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

using testing::HasSubstr;

struct Read {
  PoolScaling scaling;
  std::string errors;
};

Read read(std::string_view text) {
  Read result;
  Diagnostics found;
  if (const auto root = parse_yaml(text, found)) {
    read_yaml(*root, found, [&](YamlMap& map) { read_pool_scaling(map, result.scaling); });
  }
  for (const Diagnostic& one : found.items()) result.errors += to_string(one, "policy.yaml") + "\n";
  return result;
}

TEST(ReadPoolScaling, WithoutAPolicyTheDefaultOnesAreOn) {
  const Read result = read("min: 3\nmax: 9\nconcurrency: 10\n");
  EXPECT_EQ(result.errors, "");
  EXPECT_EQ(result.scaling.bounds.min, 3U);
  ASSERT_TRUE(result.scaling.offered_load);
  EXPECT_DOUBLE_EQ(result.scaling.offered_load->target, 6) << "60 % of 10";
  ASSERT_TRUE(result.scaling.forecast);
  EXPECT_DOUBLE_EQ(result.scaling.forecast->capacity, 8.5);
}

TEST(ReadPoolScaling, ReadsEachPolicy) {
  const Read result = read(R"(
min: 2
max: 20
up: {instances: 2, percent: 50, period: 60s, select: smaller}
down: {stabilisation: 10m}
cpu: {target_utilisation: 0.5, tolerance: 0.05}
alarms:
  conditions:
    - {signal: cpu, above: 0.7}
    - {signal: latency, above: 0.5}
  out: {type: percent, amount: 20, at_least: 2}
  cooldown: 5m
schedule:
  - {days: [mon, tue], from: "08:00", to: "18:30", instances: 6}
)");
  EXPECT_EQ(result.errors, "");
  const PoolScaling& scaling = result.scaling;
  EXPECT_FALSE(scaling.offered_load);
  EXPECT_DOUBLE_EQ(scaling.cpu->target, 0.5);
  EXPECT_EQ(scaling.bounds.up.select, RateSelect::kSmaller);
  EXPECT_EQ(scaling.bounds.down.stabilisation, minutes(10));
  ASSERT_EQ(scaling.alarms->conditions.size(), 2U);
  EXPECT_EQ(scaling.alarms->out.type, AdjustmentType::kPercentChangeInCapacity);
  ASSERT_EQ(scaling.schedule.size(), 1U);
  EXPECT_EQ(scaling.schedule[0].weekdays, 0x03);
  EXPECT_EQ(scaling.schedule[0].to, minutes(18 * 60 + 30));
}

TEST(ReadPoolScaling, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(read("min: 5\nmax: 4\n").errors, HasSubstr("policy.yaml:1:"));
  EXPECT_THAT(read("min: 5\nmax: 4\n").errors, HasSubstr("more than 'max'"));
  EXPECT_THAT(read("cpuu: {}\n").errors, HasSubstr("did you mean 'cpu'"));
  EXPECT_THAT(read("alarms: {}\n").errors, HasSubstr("conditions"));
  EXPECT_THAT(read("schedule: [{from: \"8:00\", to: \"09:00\", instances: 1}]\n").errors,
              HasSubstr("08:30"));
  EXPECT_THAT(
      read("schedule: [{days: [mno], from: \"08:00\", to: \"09:00\", instances: 1}]\n").errors,
      HasSubstr("did you mean 'mon'"));
}

TEST(ReadPoolScaling, CanDescribeItself) {
  PoolScaling scaling;
  const auto keys = describe_yaml([&](YamlMap& map) { read_pool_scaling(map, scaling); });
  EXPECT_GT(keys.size(), 40U);
}

TEST(NamedPoolScaling, EachNameMakesAScaler) {
  for (const std::string_view name : pool_scaling_names()) {
    const auto scaling = named_pool_scaling(name);
    ASSERT_TRUE(scaling) << name;
    EXPECT_TRUE(make_scaler(*scaling)) << name;
  }
  EXPECT_FALSE(named_pool_scaling("nonsense"));
}

}  // namespace
}  // namespace partywall::fleet
