// The section `cluster` of the platform file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example_platform.h"
#include "store/platform_file.h"

namespace partywall::store {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with_cluster(std::string_view limits) {
  return example_text() + fmt::format("\ncluster:\n  node: gateway-1\n  limits: {}\n", limits);
}

TEST(ClusterSection, SaysWhereTheLimitsStoreIs) {
  FakeFiles files = example_files();
  Diagnostics diagnostics;
  const auto platform = read_platform_file(
      with_cluster("{address: 10.0.0.20, port: 6379, answer_timeout: 1s, tls: {server_name: store},"
                   " login: {user: nodes, password_file: secrets/main-slots.password}}"),
      files, diagnostics);
  ASSERT_TRUE(platform);
  const ClusterOptions& cluster = platform->node.cluster;
  EXPECT_EQ(cluster.node, "gateway-1");
  EXPECT_EQ(cluster.expected_nodes, 1U);
  ASSERT_TRUE(cluster.limits);
  EXPECT_EQ(cluster.limits->endpoint, (Endpoint{"10.0.0.20", 6379}));
  EXPECT_EQ(cluster.limits->user, "nodes");
  EXPECT_TRUE(cluster.limits->password.equals("password-of-main-slots"));
  EXPECT_EQ(cluster.limits->tls->server_name, "store");
  EXPECT_EQ(cluster.limits->answer_timeout, seconds(1));
}

// Tenants reach that one.
TEST(ClusterSection, RefusesTheRedisOfACell) {
  EXPECT_THAT(problems_of(with_cluster("{address: 127.0.0.1, port: 6379}")),
              Contains(HasSubstr("the Redis of cell 'main', which tenants reach")));
}

TEST(ClusterSection, WarnsWhereNobodyHasToLogIn) {
  EXPECT_THAT(problems_of(with_cluster("{address: 127.0.0.1, port: 7000}")),
              Contains(HasSubstr("can change the limits of every tenant")));
  EXPECT_THAT(problems_of(with_cluster("{address: 127.0.0.1, port: 7000, login: {user: nodes, "
                                       "password_file: secrets/main-slots.password}}")),
              IsEmpty());
}

}  // namespace
}  // namespace partywall::store
