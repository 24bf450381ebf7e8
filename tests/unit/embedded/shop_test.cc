#include "embedded/shop.h"

#include <gtest/gtest.h>

namespace partywall::embedded {
namespace {

TEST(Shop, ItsPasswordIsInTheEnvironmentAndNotInTheCommand) {
  const auto spec =
      make_shop_spec({.application = "/a", .integration = "/i"},
                     {.sql = {"127.0.0.1", 6432},
                      .sql_user = "app",
                      .sql_password = Secret("hunter2"),
                      .database = "shop",
                      .cache = {"127.0.0.1", 6380}},
                     {.name = "nobody", .uid = 65'534, .gid = 65'534, .is_other = true});
  for (const std::string& word : spec.command)
    EXPECT_EQ(word.find("hunter2"), std::string::npos) << "everybody may see it";
  EXPECT_NE(spec.environment.at("DATABASE_URL").reveal().find("app:hunter2@127.0.0.1:6432/shop"),
            std::string::npos);
  EXPECT_TRUE(fleet::check_spec(spec, kShopInstances));
  EXPECT_EQ(spec.command.at(1), "--reuid=65534") << "never as root";
}

TEST(Shop, IsFoundAboveTheBuildFolder) {
  const auto files = find_shop();
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_TRUE(files->application.ends_with("examples/shop"));
}

}  // namespace
}  // namespace partywall::embedded
