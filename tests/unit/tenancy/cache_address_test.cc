#include "tenancy/cache_address.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(CacheAddress, FindsTheCellOfAnyInstance) {
  Cell first{.name = "first"};
  first.cache.instances = {{.name = "main", .endpoints = {{"10.0.0.1", 6379}, {"10.0.0.2", 6379}}},
                           {.name = "more", .endpoints = {{"10.0.0.3", 6379}}}};
  const std::vector<Cell> cells = {Cell{.name = "without"}, first};
  EXPECT_EQ(cell_with_cache_at(cells, {"10.0.0.2", 6379}), &cells[1]);
  EXPECT_EQ(cell_with_cache_at(cells, {"10.0.0.3", 6379}), &cells[1]);
  EXPECT_EQ(cell_with_cache_at(cells, {"10.0.0.3", 6380}), nullptr);
}

}  // namespace
}  // namespace partywall
