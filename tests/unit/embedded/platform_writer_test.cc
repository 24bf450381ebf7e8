#include "embedded/platform_writer.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "identity/dev_issuer.h"
#include "store/platform_file.h"

namespace partywall::embedded {
namespace {

// Gives each kind of file that the platform file may name what belongs in it.
class FakeSecretFiles final : public store::FileLoader {
 public:
  Result<store::LoadedFile> load(std::string_view path) override {
    if (path.ends_with(secret_files::kContextKey))
      return store::LoadedFile{.content = std::string(64, 'a')};
    if (path.ends_with(secret_files::kRegisterKey))
      return store::LoadedFile{.content = std::string(128, 'b')};
    if (path.ends_with(secret_files::kIssuerKeySet)) return store::LoadedFile{.content = key_set_};
    return store::LoadedFile{.content = "a password"};
  }
  [[nodiscard]] std::string resolve(std::string_view path) const override {
    return "/data/" + std::string(path);
  }

 private:
  std::string key_set_ = DevIssuer::generate("a", "b").key_set();
};

EmbeddedPlatform example() {
  DemoTenant tenant{.id = TenantId(Uuid::parse("11111111-1111-4111-8111-111111111111").value()),
                    .slug = "acme",
                    .name = "Acme Corporation",
                    .tier = "free",
                    .cache_database = 7,
                    .sql_password = Secret("sql password"),
                    .cache_secret = Secret("cache secret")};
  return {.workers = 2,
          .http = {"127.0.0.1", 8080},
          .sql = {"127.0.0.1", 6432},
          .cache = {"127.0.0.1", 6380},
          .admin = {"127.0.0.1", 9180},
          .access_log = "access.log",
          .postgresql = {"127.0.0.1", 40001},
          .redis = {"127.0.0.1", 40002},
          .tenants = {tenant},
          .application_password = Secret("application password"),
          .migration_password = Secret("migration password"),
          .issuer = "https://partywall.localhost/dev",
          .audience = "partywall"};
}

TEST(PlatformWriter, WritesAFileThatIsReadWithoutAWordOfComplaint) {
  SystemRandom random;
  const auto text = write_platform(example(), random);
  ASSERT_TRUE(text);
  FakeSecretFiles files;
  Diagnostics diagnostics;
  const auto read = store::read_platform_file(*text, files, diagnostics);
  for (const Diagnostic& one : diagnostics.items()) {
    // The process provider fills the pool.
    EXPECT_NE(one.message.find("has no instances"), std::string::npos)
        << to_string(one, "platform.yaml");
  }
  ASSERT_TRUE(read);
  EXPECT_EQ(read->node.workers, 2U);
  EXPECT_EQ(read->node.listen.sql->endpoint.port, 6432);
  EXPECT_EQ(read->node.access_log, "/data/access.log");
  const DirectoryData& data = read->directory;
  ASSERT_EQ(data.tenants.size(), 1U);
  EXPECT_EQ(data.tenants[0].slug, "acme");
  EXPECT_EQ(data.tenants[0].limits.max_concurrent_requests, 10U) << "the shipped free tier";
  ASSERT_EQ(data.cells.size(), 1U);
  EXPECT_EQ(data.cells[0].sql.endpoint.port, 40001);
  EXPECT_EQ(data.cells[0].cache.instances.at(0).endpoints.at(0).port, 40002);
  EXPECT_NE(data.cells[0].find_pool(kPoolName), nullptr);
  EXPECT_EQ(data.sql_logins.size(), 3U) << "the tenant's, the application's, the migration's";
  EXPECT_EQ(data.cache_logins.size(), 2U);
}

TEST(PlatformWriter, HoldsNoPasswordInTheClear) {
  SystemRandom random;
  const std::string text = *write_platform(example(), random);
  for (const char* secret :
       {"sql password", "cache secret", "application password", "migration password"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace partywall::embedded
