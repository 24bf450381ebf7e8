#include "tenancy/desired_state.h"

#include <random>

#include <gtest/gtest.h>

namespace partywall {
namespace {

Resource tenant(std::string name, ResourceFields fields = {}) {
  return {.kind = ResourceKind::kTenant, .name = std::move(name), .fields = std::move(fields)};
}

TEST(DesiredState, WhatIsThereAlreadyChangesNothing) {
  const std::vector state = {tenant("a", {{"tier", "free"}}), tenant("b")};
  EXPECT_TRUE(plan_changes(state, state, Pruning::kRemoveOthers).value().empty());
}

TEST(DesiredState, ADifferenceNamesTheFieldWithBothValues) {
  const std::vector is = {tenant("a", {{"tier", "free"}, {"region", "eu"}})};
  const std::vector should = {tenant("a", {{"tier", "pro"}, {"weight", "4"}})};
  const auto changes = plan_changes(is, should, Pruning::kKeepOthers).value();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].action, ChangeAction::kUpdate);
  EXPECT_EQ(changes[0].fields,
            (std::vector<FieldChange>{{.name = "region", .before = "eu", .after = std::nullopt},
                                      {.name = "tier", .before = "free", .after = "pro"},
                                      {.name = "weight", .before = std::nullopt, .after = "4"}}));
}

TEST(DesiredState, NothingGoesUnlessPruningIsAskedFor) {
  const std::vector is = {tenant("a"), tenant("b")};
  const std::vector should = {tenant("a")};
  EXPECT_TRUE(plan_changes(is, should, Pruning::kKeepOthers).value().empty());
  const auto pruned = plan_changes(is, should, Pruning::kRemoveOthers).value();
  ASSERT_EQ(pruned.size(), 1u);
  EXPECT_EQ(pruned[0].action, ChangeAction::kDelete);
  EXPECT_EQ(pruned[0].name, "b");
}

TEST(DesiredState, TheSameThingTwiceIsRefused) {
  const std::vector should = {tenant("a"), tenant("a")};
  EXPECT_FALSE(plan_changes({}, should, Pruning::kKeepOthers).has_value());
}

std::vector<Resource> random_state(std::mt19937_64& random) {
  std::vector<Resource> state;
  for (int kind = 0; kind < 4; ++kind) {
    for (int i = 0; i < 6; ++i) {
      if (random() % 2 == 0) continue;
      Resource resource{.kind = static_cast<ResourceKind>(kind), .name = fmt::format("r{}", i)};
      for (const char* field : {"x", "y", "z"}) {
        if (random() % 3 != 0) resource.fields[field] = fmt::format("{}", random() % 3);
      }
      state.push_back(std::move(resource));
    }
  }
  return state;
}

TEST(DesiredState, ApplyingThePlanGivesWhatIsDesiredAndThePlanAfterwardsIsEmpty) {
  std::mt19937_64 random(11);
  for (int run = 0; run < 2'000; ++run) {
    const auto is = random_state(random);
    const auto should = random_state(random);
    const auto changes = plan_changes(is, should, Pruning::kRemoveOthers).value();
    ASSERT_EQ(apply_changes(is, changes), should);
    ASSERT_TRUE(plan_changes(should, should, Pruning::kRemoveOthers).value().empty());
    const auto kept = apply_changes(is, plan_changes(is, should, Pruning::kKeepOthers).value());
    ASSERT_TRUE(plan_changes(kept, should, Pruning::kKeepOthers).value().empty());
    for (const Resource& resource : is)
      ASSERT_TRUE(std::ranges::any_of(kept, [&](const Resource& one) {
        return one.kind == resource.kind && one.name == resource.name;
      }));
  }
}

TEST(DesiredState, NeedsComeFirstAndGoLast) {
  std::mt19937_64 random(13);
  for (int run = 0; run < 500; ++run) {
    const auto changes =
        plan_changes(random_state(random), random_state(random), Pruning::kRemoveOthers).value();
    for (size_t i = 1; i < changes.size(); ++i) {
      const bool was_removal = changes[i - 1].action == ChangeAction::kDelete;
      const bool is_removal = changes[i].action == ChangeAction::kDelete;
      ASSERT_LE(was_removal, is_removal);
      if (is_removal && was_removal) ASSERT_GE(changes[i - 1].kind, changes[i].kind);
      if (!is_removal && !was_removal) ASSERT_LE(changes[i - 1].kind, changes[i].kind);
    }
  }
}

TEST(ResourceKind, TextGoesBothWays) {
  for (const char* name : {"tier", "cell", "route", "tenant"})
    EXPECT_EQ(to_string(parse_resource_kind(name).value()), name);
  EXPECT_FALSE(parse_resource_kind("tenants").has_value());
}

}  // namespace
}  // namespace partywall
