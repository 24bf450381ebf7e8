#include "tenancy/placement.h"

#include <random>

#include <gmock/gmock.h>

namespace partywall {
namespace {

using ::testing::HasSubstr;

CellCandidate shared(std::string name, uint32_t tenants, uint32_t most, std::string region = "eu") {
  return {.name = std::move(name),
          .region = std::move(region),
          .tenants = tenants,
          .max_tenants = most};
}

CellCandidate dedicated(std::string name, uint32_t tenants, std::string region = "eu") {
  return {.name = std::move(name),
          .kind = CellKind::kDedicated,
          .region = std::move(region),
          .tenants = tenants,
          .max_tenants = 100};
}

TEST(Placement, TheEmptiestByShareThenTheFirstByName) {
  const std::vector cells = {shared("b", 10, 100), shared("a", 1, 10), shared("big", 50, 1'000)};
  EXPECT_EQ(choose_cell({}, cells).value(), "big");
  EXPECT_EQ(choose_cell({}, std::vector{cells[0], cells[1]}).value(), "a");
}

TEST(Placement, FullDrainingAndBrokenCellsAreNamedWithTheReason) {
  std::vector cells = {shared("full", 5, 5), shared("empties", 0, 5), shared("broken", 0, 5),
                       shared("far", 0, 5, "us"), dedicated("own", 0)};
  cells[1].state = CellState::kDraining;
  cells[2].state = CellState::kDown;
  const auto chosen = choose_cell({.region = "eu"}, cells);
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().kind, ErrorKind::kLimit);
  for (const char* part : {"'full' is full with 5 of 5", "'empties' is draining",
                           "'broken' is down", "'far' is in 'us'", "'own' is for one tenant"}) {
    EXPECT_THAT(chosen.error().message, HasSubstr(part));
  }
}

TEST(Placement, WhoMustBeAloneGetsAnEmptyDedicatedCell) {
  const std::vector cells = {shared("s", 0, 100), dedicated("taken", 1), dedicated("free", 0)};
  EXPECT_EQ(choose_cell({.isolation = Isolation::kDedicated}, cells).value(), "free");
}

TEST(Placement, ANamedCellIsTakenOrRefusedButNeverReplaced) {
  const std::vector cells = {shared("a", 0, 10), shared("us", 0, 10, "us"), shared("full", 3, 3),
                             dedicated("own", 0)};
  EXPECT_EQ(choose_cell({.cell = "own"}, cells).value(), "own");
  EXPECT_EQ(choose_cell({.region = "eu", .cell = "us"}, cells).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(choose_cell({.cell = "full"}, cells).error().kind, ErrorKind::kLimit);
  const auto unknown = choose_cell({.cell = "ful"}, cells);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("did you mean 'full'"));
}

TEST(Placement, ManyReasonsStayOneReadableMessage) {
  std::vector<CellCandidate> cells;
  for (int i = 0; i < 500; ++i) cells.push_back(shared(fmt::format("c{}", i), 1, 1));
  const auto chosen = choose_cell({}, cells);
  EXPECT_LT(chosen.error().message.size(), 1'000u);
  EXPECT_THAT(chosen.error().message, HasSubstr("and 488 more"));
}

TEST(Placement, WhateverIsChosenIsAllowedAndFoundIfThereIsOne) {
  std::mt19937_64 random(7);
  const std::array<std::string, 3> regions = {"eu", "us", "ap"};
  for (int run = 0; run < 5'000; ++run) {
    std::vector<CellCandidate> cells;
    for (uint64_t i = 0, count = random() % 8; i < count; ++i) {
      cells.push_back({.name = fmt::format("c{}", i),
                       .kind = random() % 3 == 0 ? CellKind::kDedicated : CellKind::kShared,
                       .region = regions[random() % 3],
                       .state = static_cast<CellState>(random() % 3),
                       .tenants = static_cast<uint32_t>(random() % 5),
                       .max_tenants = static_cast<uint32_t>(random() % 5)});
    }
    const PlacementWish wish{
        .region = random() % 2 == 0 ? "" : regions[random() % 3],
        .isolation = random() % 3 == 0 ? Isolation::kDedicated : Isolation::kShared};
    const auto fits = [&](const CellCandidate& cell) {
      const uint32_t room =
          cell.kind == CellKind::kDedicated ? std::min(1U, cell.max_tenants) : cell.max_tenants;
      return (wish.region.empty() || wish.region == cell.region) &&
             (wish.isolation == Isolation::kDedicated) == (cell.kind == CellKind::kDedicated) &&
             cell.state == CellState::kActive && cell.tenants < room;
    };
    const auto chosen = choose_cell(wish, cells);
    ASSERT_EQ(chosen.has_value(), std::ranges::any_of(cells, fits));
    if (chosen) ASSERT_TRUE(fits(*std::ranges::find(cells, *chosen, &CellCandidate::name)));
    std::ranges::shuffle(cells, random);
    const auto again = choose_cell(wish, cells);
    ASSERT_EQ(again.has_value(), chosen.has_value());
    if (chosen) ASSERT_EQ(*again, *chosen) << "the order of the cells decided";
  }
}

TEST(CacheDatabase, IsTheLowestThatIsFree) {
  EXPECT_EQ(choose_cache_databases({}, 1, 16).value(), 0u);
  EXPECT_EQ(choose_cache_databases({0, 1, 3}, 1, 16).value(), 2u);
  EXPECT_EQ(choose_cache_databases({1, 2}, 1, 16).value(), 0u);
  EXPECT_EQ(choose_cache_databases({0, 1}, 1, 2).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(choose_cache_databases({}, 1, 0).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(choose_cache_databases({0, 1, 3, 6}, 2, 16).value(), 4u) << "a gap of two";
  EXPECT_EQ(choose_cache_databases({0, 1, 3, 6}, 3, 16).value(), 7u);
  EXPECT_EQ(choose_cache_databases({0, 1, 3, 6}, 3, 9).error().kind, ErrorKind::kLimit);
}

}  // namespace
}  // namespace partywall
