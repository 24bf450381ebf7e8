#include "fleet/instance_publisher.h"

#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

class FakeProvider final : public Provider {
 public:
  [[nodiscard]] Capabilities capabilities() const override { return {}; }
  Result<std::vector<ObservedInstance>> observe(const GroupName&) override { return instances; }
  std::map<InstanceId, ResourceUse> measure(const GroupName&) override { return {}; }
  Result<> ensure(const GroupName&, const InstanceSpec&, uint32_t, FencingNumber) override {
    return {};
  }
  Result<> remove(std::span<const InstanceId>, Duration) override { return {}; }
  Result<> wait_until_gone(std::span<const InstanceId>, Duration) override { return {}; }
  [[nodiscard]] std::shared_ptr<void> watch(OnChange on_change) override {
    changed = std::move(on_change);
    return {&changed, [](void*) {}};
  }

  std::vector<ObservedInstance> instances;
  OnChange changed;
};

ObservedInstance instance(const std::string& id, InstanceState state, uint16_t port) {
  return {.id = InstanceId(id), .state = state, .endpoint = {"127.0.0.1", port}};
}

DirectoryRef directory_with_pool() {
  Cell cell;
  cell.name = "main";
  cell.pools = {{.name = "web"},
                {.name = "static", .instances = {{.id = "fixed", .endpoint = {"127.0.0.1", 1}}}}};
  return *Directory::build({.version = 7, .cells = {cell}});
}

const PoolPlacement kPlacement{.group = GroupName("shop"), .cell = "main", .pool = "web"};

TEST(InstancePublisher, PublishesWhatRunsAndNothingElse) {
  FakeProvider provider;
  provider.instances = {instance("shop-1", InstanceState::kRunning, 4001)};
  DirectoryFeed feed(directory_with_pool());
  const InstancePublisher publisher(provider, feed, kPlacement);
  const Cell* cell = feed.current()->find_cell("main");
  ASSERT_EQ(cell->find_pool("web")->instances.size(), 1U);
  EXPECT_EQ(cell->find_pool("web")->instances[0].endpoint.port, 4001);
  EXPECT_EQ(feed.current()->version(), 8U);
  EXPECT_EQ(cell->find_pool("static")->instances.size(), 1U) << "other pools are not ours";

  provider.instances = {instance("shop-1", InstanceState::kWaiting, 4001),
                        instance("shop-2", InstanceState::kRunning, 4002),
                        instance("shop-3", InstanceState::kStopping, 4003)};
  provider.changed(GroupName("shop"));
  const auto& instances = feed.current()->find_cell("main")->find_pool("web")->instances;
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances[0].id, "shop-2");
}

TEST(InstancePublisher, NoNewDirectoryWithoutAChange) {
  FakeProvider provider;
  provider.instances = {instance("shop-1", InstanceState::kRunning, 4001)};
  DirectoryFeed feed(directory_with_pool());
  const InstancePublisher publisher(provider, feed, kPlacement);
  const DirectoryRef before = feed.current();
  provider.changed(GroupName("shop"));
  provider.changed(GroupName("another"));
  EXPECT_EQ(feed.current(), before);
}

TEST(InstancePublisher, APoolThatIsNotThereIsAnError) {
  const auto made = with_instances(directory_with_pool(),
                                   {.group = GroupName("a"), .cell = "main", .pool = "none"}, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace partywall::fleet
