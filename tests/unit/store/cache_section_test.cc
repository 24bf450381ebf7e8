#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example_platform.h"

// The `cache` of a cell, and where in it tenants are.
namespace partywall::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kHead = R"(version: 1
identity: {context_keys: [{id: 1, file: secrets/context-1.key}]}
)";
constexpr std::string_view kLogins =
    "door_user: door, door_password_file: d, tenant_password_file: t";

FakeFiles files() {
  FakeFiles files = example_files();
  files.add("d", "door password");
  files.add("t", "tenants' key");
  files.add("old", "the key before");
  return files;
}

std::string with_cell(std::string_view cache, std::string_view tenants = "") {
  return fmt::format("{}cells: {{main: {{cache: {{{}, {}}}}}}}\n{}", kHead, cache, kLogins,
                     tenants);
}

std::string tenant(char digit, std::string_view rest) {
  return fmt::format(
      "  - {{slug: t{0}, id: 00000000-0000-4000-8000-00000000000{0}, tier: free, "
      "cell: main, {1}}}\n",
      digit, rest);
}

Cell read_cell(std::string_view text) {
  FakeFiles all = files();
  Diagnostics diagnostics;
  auto platform = read_platform_file(text, all, diagnostics);
  EXPECT_TRUE(platform);
  return platform ? platform->directory.cells.at(0) : Cell();
}

TEST(CacheSection, OneServerIsAnInstanceOfItsOwn) {
  const Cell cell = read_cell(with_cell("address: 127.0.0.1, port: 6379"));
  ASSERT_EQ(cell.cache.instances.size(), 1u);
  EXPECT_EQ(cell.cache.find_instance(""), &cell.cache.instances[0]);
  EXPECT_EQ(cell.cache.instances[0].endpoints, (std::vector<Endpoint>{{"127.0.0.1", 6379}}));
}

TEST(CacheSection, SeveralServersHoldTenantsByName) {
  const std::string cache =
      "instances: [{name: a, address: 127.0.0.1, port: 1}, {name: b, address: 127.0.0.1, port: 2}]";
  const std::string text =
      with_cell(cache, "tenants:\n" + tenant('1', "cache_database: 1") +
                           tenant('2', "cache_database: 1, cache_instance: b"));
  EXPECT_THAT(problems_of(text, files()), IsEmpty());
  EXPECT_EQ(read_cell(text).cache.find_instance("b")->endpoints.at(0).port, 2);
}

TEST(CacheSection, ADatabaseHasOneTenantInEachInstance) {
  const std::string cache =
      "instances: [{name: a, address: 127.0.0.1, port: 1}, {name: b, address: 127.0.0.1, port: 2}]";
  const auto problems = problems_of(
      with_cell(cache, "tenants:\n" + tenant('1', "cache_database: 1, cache_instance: b") +
                           tenant('2', "cache_database: 1, cache_instance: b")),
      files());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("belongs to tenant 't1' already"));
}

TEST(CacheSection, NamesMustBeKnownAndUnique) {
  EXPECT_THAT(problems_of(with_cell("instances: [{name: a, address: 127.0.0.1, port: 1}, "
                                    "{name: a, address: 127.0.0.1, port: 2}]"),
                          files()),
              testing::Contains(HasSubstr("there is an instance 'a' already")));
  EXPECT_THAT(
      problems_of(with_cell("instances: [{name: main1, address: 127.0.0.1, port: 1}]",
                            "tenants:\n" + tenant('1', "cache_database: 1, cache_instance: main2")),
                  files()),
      testing::Contains(HasSubstr("no cache instance 'main2'; did you mean 'main1'")));
}

TEST(CacheSection, APlaceIsNeeded) {
  EXPECT_THAT(
      problems_of(with_cell("previous_tenant_password_file: old"), files()),
      testing::Contains(HasSubstr("exactly one of 'address', 'sentinel' and 'cluster' is needed")));
}

TEST(CacheSection, SentinelsStandForAServer) {
  const std::string sentinel =
      "sentinel: {primary: main, sentinels: [\"127.0.0.1:26379\", \"[::1]:26379\"]}";
  const Cell cell = read_cell(with_cell(sentinel));
  const CacheInstance& instance = cell.cache.instances.at(0);
  EXPECT_EQ(instance.topology, CacheTopology::kSentinel);
  EXPECT_EQ(instance.primary_name, "main");
  EXPECT_EQ(instance.endpoints, (std::vector<Endpoint>{{"127.0.0.1", 26379}, {"::1", 26379}}));
  EXPECT_THAT(problems_of(with_cell(sentinel + ", address: 127.0.0.1, port: 1"), files()),
              testing::Contains(HasSubstr("exactly one of 'address', 'sentinel' and")));
  EXPECT_THAT(problems_of(with_cell("sentinel: {primary: main, sentinels: []}"), files()),
              testing::Contains(HasSubstr("'sentinels' is empty")));
  EXPECT_THAT(problems_of(with_cell("sentinel: {primary: main}"), files()),
              testing::Contains(HasSubstr("'sentinels' is missing")));
}

TEST(CacheSection, AClusterNeedsPrefixesAndTags) {
  const std::string cluster = "cluster: {nodes: [\"127.0.0.1:7000\", \"127.0.0.1:7001\"]}";
  EXPECT_THAT(problems_of(with_cell(cluster), files()),
              testing::Contains(HasSubstr("its tenants need 'mode: prefix'")));
  const std::string prefix = cluster + ", mode: prefix";
  const CacheInstance instance = read_cell(with_cell(prefix)).cache.instances.at(0);
  EXPECT_EQ(instance.topology, CacheTopology::kCluster);
  EXPECT_EQ(instance.endpoints.size(), 2u);
  EXPECT_THAT(problems_of(with_cell(prefix, "tenants:\n" + tenant('1', "cache_tag: one")), files()),
              IsEmpty());
  EXPECT_THAT(problems_of(with_cell(prefix, "tenants:\n" + tenant('1', "cache_placement: spread")),
                          files()),
              testing::Contains(HasSubstr("not possible in a Redis Cluster yet")));
}

TEST(CacheSection, TlsNeedsBothHalvesOfACertificate) {
  FakeFiles all = files();
  all.add("ca.pem", "-----BEGIN CERTIFICATE-----");
  const auto problems = problems_of(
      with_cell("address: 127.0.0.1, port: 1, tls: {ca: ca.pem, certificate: ca.pem}"), all);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("'private_key' is missing"));
  EXPECT_THAT(problems_of(with_cell("address: 127.0.0.1, port: 1, tls: {ca: d}"), all),
              testing::Contains(HasSubstr("not in PEM form")));
}

TEST(CacheSection, TheAdministratorIsNotTheDefaultUser) {
  EXPECT_THAT(problems_of(with_cell("address: 127.0.0.1, port: 1, administrator: {user: default, "
                                    "password_file: d}"),
                          files()),
              testing::Contains(HasSubstr("'default' is switched off")));
}

TEST(CacheSection, KeepsTheKeysBeforeARotation) {
  const Cell cell =
      read_cell(with_cell("address: 127.0.0.1, port: 6379, previous_tenant_password_file: old"));
  EXPECT_TRUE(cell.cache.previous_tenant_password.equals("the key before"));
  EXPECT_TRUE(cell.cache.previous_door_password.empty());
}

}  // namespace
}  // namespace partywall::store
