#include "store/directory_loader.h"

#include <gtest/gtest.h>

#include "store/example_platform.h"

namespace partywall::store {
namespace {

constexpr std::string_view kFileHead =
    R"(identity: {context_keys: [{id: 1, file: secrets/context-1.key}]}
cells: {main: {pools: {web: {}, fixed: {instances: [{id: a, address: 127.0.0.1, port: 1}]}}}}
)";

std::string tenant(std::string_view slug, char digit) {
  const std::string id = fmt::format("{}-0000-4000-8000-000000000000", std::string(8, digit));
  return fmt::format("  - {{slug: {}, id: {}, tier: free, cell: main}}\n", slug, id);
}

class DirectoryLoaderTest : public testing::Test {
 protected:
  void write(std::string_view text) {
    files_.add("platform.yaml", std::string(kFileHead) + std::string(text));
  }

  void start() {
    auto loaded = loader_.load();
    ASSERT_TRUE(loaded);
    feed_.emplace(std::move(loaded->directory));
  }

  [[nodiscard]] const Tenant* find(std::string_view slug) const {
    return feed_->current()->find_tenant_by_slug(slug);
  }
  [[nodiscard]] const Pool* pool(std::string_view name) const {
    return feed_->current()->cells().at(0).find_pool(name);
  }

  FakeFiles files_ = example_files();
  DirectoryLoader loader_{files_, "platform.yaml"};
  std::optional<DirectoryFeed> feed_;
};

TEST_F(DirectoryLoaderTest, LoadsTheFirstDirectory) {
  write("node: {workers: 3}\ntenants:\n" + tenant("acme", 'a'));
  const auto loaded = loader_.load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->node.workers, 3u);
  EXPECT_EQ(loaded->directory->version(), 1u);
  EXPECT_TRUE(loaded->directory->find_tenant_by_slug("acme"));
}

TEST_F(DirectoryLoaderTest, SaysWhyItCannotLoad) {
  EXPECT_FALSE(loader_.load());
  EXPECT_EQ(loader_.diagnostics().items().at(0).message,
            "cannot read platform.yaml: No such file or directory");
  write("tenant: []\n");
  EXPECT_FALSE(loader_.load());
  EXPECT_EQ(loader_.diagnostics().errors(), 1u);
  write("");
  EXPECT_TRUE(loader_.load());
  EXPECT_EQ(loader_.diagnostics().errors(), 0u);
}

TEST_F(DirectoryLoaderTest, TenantsKeepTheirNumbersOverReloads) {
  write("tenants:\n" + tenant("acme", 'a') + tenant("globex", 'b'));
  start();
  const TenantNumber acme = find("acme")->number, globex = find("globex")->number;
  EXPECT_NE(acme, globex);

  write("tenants:\n" + tenant("initech", 'c') + tenant("globex", 'b'));
  ASSERT_TRUE(loader_.reload(*feed_));
  EXPECT_FALSE(find("acme"));
  EXPECT_EQ(find("globex")->number, globex);
  EXPECT_NE(find("initech")->number, acme);  // never given to another one
  EXPECT_NE(find("initech")->number, globex);

  write("tenants:\n" + tenant("acme-again", 'a'));
  ASSERT_TRUE(loader_.reload(*feed_));
  EXPECT_EQ(find("acme-again")->number, acme);  // the id counts, not the slug
}

TEST_F(DirectoryLoaderTest, VersionsGrowAlsoWhenOthersPublish) {
  write("tenants: []\n");
  start();
  EXPECT_EQ(feed_->current()->version(), 1u);
  DirectoryData data = feed_->current()->data();
  data.version = 41;
  feed_->publish(*Directory::build(std::move(data)));
  ASSERT_TRUE(loader_.reload(*feed_));
  EXPECT_EQ(feed_->current()->version(), 42u);
}

TEST_F(DirectoryLoaderTest, AFileWithErrorsChangesNothing) {
  write("tenants:\n" + tenant("acme", 'a'));
  start();
  const DirectoryRef before = feed_->current();
  for (const char* broken : {"tenants: [{slug: acme}]\n", "tenants: [\n", "nonsense: 1\n"}) {
    write(broken);
    EXPECT_FALSE(loader_.reload(*feed_));
    EXPECT_TRUE(loader_.diagnostics().has_errors());
    EXPECT_EQ(feed_->current(), before) << broken;
  }
  files_.files.erase("platform.yaml");
  EXPECT_FALSE(loader_.reload(*feed_));
  EXPECT_EQ(feed_->current(), before);
}

TEST_F(DirectoryLoaderTest, WhatProvidersFoundStays) {
  write("");
  start();
  DirectoryData data = feed_->current()->data();
  data.version += 1;
  for (Pool& changed : data.cells.at(0).pools)
    changed.instances = {{.id = "found", .endpoint = {"127.0.0.1", 7}}};
  feed_->publish(*Directory::build(std::move(data)));

  ASSERT_TRUE(loader_.reload(*feed_));
  ASSERT_EQ(pool("web")->instances.size(), 1u);
  EXPECT_EQ(pool("web")->instances[0].id, "found");
  ASSERT_EQ(pool("fixed")->instances.size(), 1u);
  EXPECT_EQ(pool("fixed")->instances[0].id, "a");  // the file's own are the file's
}

}  // namespace
}  // namespace partywall::store
