#include "cache/user_healer.h"

#include <atomic>

#include <gtest/gtest.h>

#include "cache/route_world.h"

namespace partywall::cache {
namespace {

DirectoryRef directory_with(const Cell& cell) {
  DirectoryData data;
  data.version = 1;
  data.tiers = {Tier{.name = "free"}};
  data.cells = {cell};
  Tenant tenant;
  tenant.id = TenantId(Uuid::from_halves(1, 1));
  tenant.slug = "acme";
  tenant.tier = "free";
  tenant.cell = cell.name;
  data.tenants = {tenant};
  return Directory::build(std::move(data)).value();
}

class Healing : public testing::Test {
 protected:
  explicit Healing() : cell_(cell_with({.name = "main", .endpoints = {at(6379)}})) {}

  void refuse() {
    const CacheRoute route(cell_, cell_.cache.instances[0]);
    healer_.login_refused(route, {at(6379), "WRONGPASS"}, directory_with(cell_));
    healer_.wait_until_idle_for_test();
  }

  Cell cell_;
  ManualTime time_;
  std::atomic<int> done_ = 0;
  std::atomic<size_t> tenants_ = 0;
  UserHealer healer_{time_,
                     [this](const CacheBackend&, const CacheInstance&,
                            const std::vector<Tenant>& tenants) -> Result<> {
                       ++done_;
                       tenants_ = tenants.size();
                       return fail(ErrorKind::kUnavailable, "no Redis");
                     }};
};

TEST_F(Healing, OnlySaysSoWithoutAnAdministrator) {
  time_.advance(hours(1));
  refuse();
  EXPECT_EQ(done_, 0);
}

TEST_F(Healing, ProvisionsAndWaitsLongerEachTime) {
  cell_.cache.administrator = "ops";
  time_.advance(hours(1));
  refuse();
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(tenants_, 1u);
  refuse();
  time_.advance(milliseconds(900));
  refuse();
  EXPECT_EQ(done_, 1);
  time_.advance(milliseconds(100));
  refuse();
  EXPECT_EQ(done_, 2);
  time_.advance(milliseconds(1900));
  refuse();
  EXPECT_EQ(done_, 2);
  time_.advance(milliseconds(100));
  refuse();
  EXPECT_EQ(done_, 3);
}

TEST_F(Healing, ForgetsAfterAWhile) {
  cell_.cache.administrator = "ops";
  time_.advance(hours(1));
  for (int i = 0; i < 5; ++i) {
    refuse();
    time_.advance(minutes(5));
  }
  EXPECT_EQ(done_, 5);
  time_.advance(minutes(16));
  refuse();
  time_.advance(seconds(1));
  refuse();
  EXPECT_EQ(done_, 7);
}

}  // namespace
}  // namespace partywall::cache
