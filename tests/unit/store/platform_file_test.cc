#include "store/platform_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example_platform.h"
#include "tenancy/shipped_tiers.h"

namespace partywall::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The least that is a platform file.
constexpr std::string_view kMinimal = R"(version: 1
identity: {context_keys: [{id: 1, file: secrets/context-1.key}]}
cells: {main: {}}
)";

PlatformFile read(std::string_view text) {
  FakeFiles files = example_files();
  Diagnostics diagnostics;
  auto platform = read_platform_file(text, files, diagnostics);
  EXPECT_TRUE(platform) << (diagnostics.items().empty()
                                ? ""
                                : to_string(diagnostics.items().front(), "platform.yaml"));
  return platform.value_or(PlatformFile{});
}

TEST(PlatformFile, TheExampleIsValidAndMeansWhatItSays) {
  EXPECT_THAT(problems_of(example_text()), IsEmpty());
  const PlatformFile platform = read(example_text());

  EXPECT_EQ(platform.node.workers, 2u);
  EXPECT_EQ(platform.node.listen.sql->endpoint, (Endpoint{"127.0.0.1", 6432}));
  EXPECT_EQ(platform.node.http.max_body_bytes, 16u << 20);
  EXPECT_EQ(platform.node.http.response_timeout, seconds(30));

  const DirectoryData& data = platform.directory;
  ASSERT_EQ(data.context_keys.size(), 1u);
  EXPECT_TRUE(data.context_keys[0].key.equals(std::string(32, '\xAA')));
  ASSERT_EQ(data.issuers.size(), 1u);
  EXPECT_THAT(data.issuers[0].key_set, testing::StartsWith(R"({"keys":)"));

  ASSERT_EQ(data.cells.size(), 1u);
  const Cell& cell = data.cells[0];
  EXPECT_EQ(cell.region, "eu-central");
  EXPECT_EQ(cell.sql.slots.count, 20u);
  EXPECT_TRUE(cell.sql.slots.password.equals("password-of-main-slots"));
  EXPECT_TRUE(cell.sql.register_key.equals(std::string(64, '\xBB')));
  EXPECT_EQ(cell.sql.owner_role, "app_owner");
  EXPECT_EQ(cell.cache.door_user, "partywall_door");
  ASSERT_TRUE(cell.find_pool("web"));
  EXPECT_EQ(cell.find_pool("web")->instances.at(1).endpoint, (Endpoint{"127.0.0.1", 9002}));
  EXPECT_EQ(data.routes.at(0).path_prefix, "/api/");
  EXPECT_TRUE(data.routes.at(0).authenticated);
  EXPECT_FALSE(data.routes.at(1).authenticated);
}

TEST(PlatformFile, TenantsHaveTheLimitsOfTheirTierWithTheirOverrides) {
  const PlatformFile platform = read(example_text());
  const std::vector<Tier> shipped = shipped_tiers();
  const Tenant& acme = platform.directory.tenants.at(0);
  EXPECT_EQ(acme.limits, shipped[0].limits);
  EXPECT_EQ(acme.weight, shipped[0].weight);
  EXPECT_EQ(acme.alarms, shipped[0].alarms);

  const Tenant& globex = platform.directory.tenants.at(1);
  Limits expected = shipped[2].limits;
  expected.statement_timeout = seconds(30);
  expected.api_rate = {20'000, minutes(1), 400};
  EXPECT_EQ(globex.limits, expected);
  EXPECT_EQ(globex.weight, 16u);
  EXPECT_EQ(globex.alarms, shipped[2].alarms);
}

TEST(PlatformFile, LoginsAreBoundToTheirTenantAndCell) {
  const PlatformFile platform = read(example_text());
  const auto directory = Directory::build(platform.directory);
  ASSERT_TRUE(directory);
  const Tenant* const acme = (*directory)->find_tenant_by_slug("acme");
  const SqlLogin* const own = (*directory)->find_sql_login("acme");
  ASSERT_TRUE(own);
  EXPECT_EQ(own->login_class, LoginClass::kBound);
  EXPECT_EQ(own->tenant, acme->id);
  EXPECT_EQ(own->cell, "main");
  EXPECT_EQ(own->database, "app");
  EXPECT_EQ((*directory)->find_sql_login("acme.reports")->tenant, acme->id);
  EXPECT_EQ((*directory)->find_sql_login("acme.reports")->cell, "main");
  EXPECT_EQ((*directory)->find_sql_login("app")->login_class, LoginClass::kApplication);
  EXPECT_EQ((*directory)->find_sql_login("app")->tenant, std::nullopt);
  EXPECT_THAT((*directory)->find_sql_login("schema")->verifier,
              testing::StartsWith("SCRAM-SHA-256$4096:TBAp"));
  EXPECT_EQ((*directory)->find_cache_login("acme")->tenant, acme->id);
  EXPECT_EQ((*directory)->find_cache_login("acme")->secret_sha256[0], 0xC3);
  EXPECT_EQ((*directory)->find_cache_login("app")->tenant, std::nullopt);
}

TEST(PlatformFile, AMinimalFileHasTheDefaults) {
  const PlatformFile platform = read(kMinimal);
  EXPECT_EQ(platform.node, NodeSettings());
  EXPECT_EQ(platform.directory.tiers, shipped_tiers());
  EXPECT_EQ(platform.directory.tenants.size(), 0u);
}

TEST(PlatformFile, ATierStartsFromWhatItExtends) {
  const PlatformFile platform = read(std::string(kMinimal) + R"(tiers:
  gold: {extends: pro, weight: 8, cache_rate: {per_hour: 5}, cache: {scripts: functions}}
  platinum: {extends: gold, max_cpu_seconds: 1000, alarms: {error_share: 0.5}}
  pro: {max_db_connections: 7}
  new: {}
)");
  const auto shipped = shipped_tiers();
  const auto& tiers = platform.directory.tiers;
  ASSERT_EQ(tiers.size(), 6u);
  EXPECT_EQ(tiers[1].name, "pro");
  EXPECT_EQ(tiers[1].limits.max_db_connections, 7u);
  EXPECT_EQ(tiers[1].limits.statement_timeout, shipped[1].limits.statement_timeout);
  EXPECT_EQ(tiers[3].name, "gold");
  EXPECT_EQ(tiers[3].limits.api_rate, shipped[1].limits.api_rate);
  EXPECT_EQ(tiers[3].limits.cache_rate, (RateLimit{5, hours(1), 10'000}));
  EXPECT_EQ(tiers[3].limits.cache_scripts, CacheScripts::kFunctions);
  EXPECT_EQ(tiers[4].limits.cache_scripts, CacheScripts::kFunctions);
  EXPECT_EQ(tiers[4].weight, 8u);
  EXPECT_EQ(tiers[4].limits.max_cpu_time, seconds(1000));
  EXPECT_EQ(tiers[4].alarms.error_share, 0.5);
  EXPECT_EQ(tiers[4].alarms.slow_request, shipped[1].alarms.slow_request);
  EXPECT_EQ(tiers[5].limits, shipped[0].limits);
}

TEST(PlatformFile, PathsForTheProcessCountFromTheFilesFolder) {
  FakeFiles files = example_files();
  files.add("tls/door.pem", "-----BEGIN CERTIFICATE-----");
  files.add("tls/door.key", "-----BEGIN PRIVATE KEY-----");
  Diagnostics diagnostics;
  const auto platform =
      read_platform_file(std::string(kMinimal) +
                             "node: {access_log: logs/access}\n"
                             "listen: {http: {address: 0.0.0.0, port: 443, tls: {certificate: "
                             "tls/door.pem, private_key: tls/door.key}}}\n",
                         files, diagnostics);
  ASSERT_TRUE(platform);
  EXPECT_THAT(diagnostics.items(), IsEmpty());
  EXPECT_EQ(platform->node.access_log, "/etc/partywall/logs/access");
  EXPECT_EQ(platform->node.listen.http->tls->certificate, "/etc/partywall/tls/door.pem");
  EXPECT_EQ(read(std::string(kMinimal) + "node: {access_log: none}\n").node.access_log, "");
  EXPECT_EQ(read(std::string(kMinimal) + "node: {access_log: \"-\"}\n").node.access_log, "-");
}

TEST(PlatformFile, WarnsOfSecretsThatOthersMayRead) {
  FakeFiles files = example_files();
  files.files["secrets/main-slots.password"].readable_by_others = true;
  files.files["secrets/context-1.key"].writable_by_others = true;
  files.files["login.example.com.jwks.json"].readable_by_others = true;  // public keys
  EXPECT_THAT(problems_of(example_text(), files),
              ElementsAre(HasSubstr("warning: 'file': others than its owner may write to "
                                    "/etc/partywall/secrets/context-1.key; chmod 600 it"),
                          HasSubstr("warning: 'password_file': every user of this machine may read "
                                    "/etc/partywall/secrets/main-slots.password")));
}

TEST(PlatformFile, NeverRepeatsASecretInAMessage) {
  FakeFiles files = example_files();
  for (auto& [path, file] : files.files) file.content = "s3cret\x01";
  const auto problems = problems_of(example_text(), files);
  EXPECT_GE(problems.size(), 6u);
  for (const std::string& problem : problems)
    EXPECT_THAT(problem, testing::Not(HasSubstr("s3cret")));
}

// The fuzzer starts from them; what is not valid at first is hardly ever reached.
TEST(PlatformFile, TheFuzzSeedsOfValidFilesAreValid) {
  for (const char* seed : {"whole", "least"}) {
    const std::string text =
        read_source_file(fmt::format("tests/fuzz/corpus/platform_file/{}", seed));
    EXPECT_THAT(problems_of(text, fuzz_seed_files()), testing::Each(HasSubstr(": warning: ")))
        << seed;
  }
}

// Each key that starts a line of the example, misspelt, is reported where it is.
TEST(PlatformFile, EveryMisspeltKeyIsReportedAtItsPlace) {
  const std::string text = example_text();
  size_t tried = 0;
  size_t start = 0;
  for (uint32_t number = 1; start < text.size(); ++number) {
    const size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    const size_t key = line.find_first_not_of(" -");
    const size_t colon = line.find(':');
    const bool is_name =
        number > 1 && (line.starts_with("  main:") || line.starts_with("  pro-cache:") ||
                       line.starts_with("      web:"));
    if (key != line.npos && colon != line.npos && line.find('#') > colon && line[key] != '{' &&
        !is_name) {
      const std::string changed =
          text.substr(0, start + colon) + "zzzzzz" + text.substr(start + colon);
      EXPECT_THAT(problems_of(changed),
                  testing::Contains(testing::StartsWith(
                      fmt::format("platform.yaml:{}:{}: error: unknown key", number, key + 1))))
          << line;
      ++tried;
    }
    start = end + 1;
  }
  EXPECT_GT(tried, 50u);
}

TEST(PlatformFile, NoBeginningOfTheFileIsTakenForAWholeOne) {
  const std::string text = example_text();
  const size_t needed = text.find("\ncells:");
  for (size_t length = 0; length < needed; ++length) {
    EXPECT_THAT(problems_of(text.substr(0, length)), testing::Not(IsEmpty())) << length;
  }
}

}  // namespace
}  // namespace partywall::store
