#include "tenancy/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tenancy/shipped_tiers.h"

namespace partywall {
namespace {

TenantId tenant_id(uint8_t last) {
  std::array<uint8_t, 16> bytes{};
  bytes[15] = last;
  return TenantId(Uuid(bytes));
}

DirectoryData two_tenants() {
  DirectoryData data;
  data.version = 1;
  data.tiers = shipped_tiers();
  data.cells.push_back({.name = "shared"});
  data.tenants = {{.id = tenant_id(1), .slug = "acme", .tier = "free", .cell = "shared"},
                  {.id = tenant_id(2), .slug = "globex", .tier = "enterprise", .cell = "shared"}};
  data.routes = {{.path_prefix = "/", .pool = "app"},
                 {.path_prefix = "/api/reports", .pool = "reports"},
                 {.path_prefix = "/api/", .pool = "api"}};
  data.issuers = {{.issuer = "https://one", .audience = "x"}};
  data.context_keys = {{.id = 1, .key = Secret("a")}, {.id = 2, .key = Secret("b")}};
  data.sql_logins = {{.user = "acme", .tenant = tenant_id(1)},
                     {.user = "app", .login_class = LoginClass::kApplication, .cell = "shared"}};
  data.cache_logins = {{.user = "globex", .tenant = tenant_id(2)}, {.user = "app"}};
  return data;
}

DirectoryRef built(DirectoryData data) {
  auto directory = Directory::build(std::move(data));
  EXPECT_TRUE(directory.has_value()) << directory.error().message;
  return directory.value_or(nullptr);
}

std::string problem(DirectoryData data) {
  const auto directory = Directory::build(std::move(data));
  EXPECT_FALSE(directory.has_value());
  if (directory) return "";
  EXPECT_EQ(directory.error().kind, ErrorKind::kInvalid);
  return directory.error().message;
}

TEST(Directory, FindsTenantsByIdSlugAndEither) {
  const auto directory = built(two_tenants());
  const Tenant* acme = directory->find_tenant(tenant_id(1));
  ASSERT_NE(acme, nullptr);
  EXPECT_EQ(acme->slug, "acme");
  EXPECT_EQ(directory->find_tenant_by_slug("acme"), acme);
  EXPECT_EQ(directory->find_tenant_by_name("acme"), acme);
  EXPECT_EQ(directory->find_tenant_by_name("00000000-0000-0000-0000-000000000001"), acme);
  EXPECT_EQ(directory->find_tenant(tenant_id(3)), nullptr);
  EXPECT_EQ(directory->find_tenant_by_slug("Acme"), nullptr);
  EXPECT_EQ(directory->find_tenant_by_name("00000000-0000-0000-0000-000000000009"), nullptr);
  EXPECT_EQ(directory->find_tenant_by_name(""), nullptr);
}

TEST(Directory, FindsTheRest) {
  const auto directory = built(two_tenants());
  EXPECT_NE(directory->find_tier("pro"), nullptr);
  EXPECT_EQ(directory->find_tier("gold"), nullptr);
  EXPECT_NE(directory->find_cell("shared"), nullptr);
  EXPECT_EQ(directory->find_cell(""), nullptr);
  EXPECT_EQ(directory->find_sql_login("app")->login_class, LoginClass::kApplication);
  EXPECT_EQ(directory->find_sql_login("nobody"), nullptr);
  EXPECT_EQ(directory->find_cache_login("globex")->tenant, tenant_id(2));
  EXPECT_EQ(directory->find_cache_login("acme"), nullptr);
}

TEST(Directory, TheLongestRouteAtASlashWins) {
  const auto directory = built(two_tenants());
  const auto pool = [&](std::string_view path) { return directory->find_route(path)->pool; };
  EXPECT_EQ(pool("/"), "app");
  EXPECT_EQ(pool("/index.html"), "app");
  EXPECT_EQ(pool("/api"), "app");
  EXPECT_EQ(pool("/api/"), "api");
  EXPECT_EQ(pool("/api/report"), "api");
  EXPECT_EQ(pool("/api/reports"), "reports");
  EXPECT_EQ(pool("/api/reports/1"), "reports");
  EXPECT_EQ(pool("/api/reportsx"), "api");
  EXPECT_EQ(directory->find_route(""), nullptr);
  EXPECT_EQ(directory->find_route("*"), nullptr);
}

TEST(Directory, WithoutRoutesNothingIsFound) {
  DirectoryData data = two_tenants();
  data.routes.clear();
  EXPECT_EQ(built(std::move(data))->find_route("/"), nullptr);
}

TEST(Directory, NamesTheFirstProblem) {
  const auto with = [](auto change) {
    DirectoryData data = two_tenants();
    change(data);
    return problem(std::move(data));
  };
  const auto again = [](auto& items) { items.push_back(items.front()); };
  EXPECT_EQ(with([](auto& d) { d.tenants[0].tier = "gold"; }), "tenant acme: no tier named 'gold'");
  EXPECT_EQ(with([](auto& d) { d.tenants[0].cell = "x"; }), "tenant acme: no cell named 'x'");
  EXPECT_EQ(with([](auto& d) { d.tenants[1].slug = "acme"; }),
            "tenant acme: the slug is taken by another tenant");
  EXPECT_THAT(with([](auto& d) { d.tenants[1].id = d.tenants[0].id; }),
              testing::HasSubstr("is taken by another"));
  EXPECT_THAT(with([](auto& d) { d.tenants[0].slug = "Not a slug"; }),
              testing::HasSubstr("is not a slug"));
  EXPECT_EQ(with([&](auto& d) { again(d.tiers); }), "tier free: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.cells); }), "cell shared: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.routes); }), "route /: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.issuers); }), "token issuer https://one: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.context_keys); }), "context key 1: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.sql_logins); }), "sql login acme: defined twice");
  EXPECT_EQ(with([&](auto& d) { again(d.cache_logins); }), "cache login globex: defined twice");
  EXPECT_EQ(with([](auto& d) { d.sql_logins[0].tenant = tenant_id(9); }),
            "sql login acme: its tenant does not exist");
  EXPECT_EQ(with([](auto& d) { d.sql_logins[1].cell = "x"; }), "sql login app: no cell named 'x'");
  EXPECT_EQ(with([](auto& d) { d.cache_logins[0].tenant = tenant_id(9); }),
            "cache login globex: its tenant does not exist");
}

TEST(Directory, PointersStayValidAsLongAsTheReference) {
  DirectoryRef directory = built(two_tenants());
  const DirectoryRef kept = directory;
  const Tenant* acme = directory->find_tenant_by_slug("acme");
  directory = built(two_tenants());
  EXPECT_EQ(acme->slug, "acme");
  EXPECT_EQ(kept->find_tenant_by_slug("acme"), acme);
}

TEST(TenantNumbers, AreDenseAndNeverReused) {
  TenantNumbers numbers;
  DirectoryData data = two_tenants();
  numbers.assign(data.tenants);
  EXPECT_EQ(data.tenants[0].number, TenantNumber(0));
  EXPECT_EQ(data.tenants[1].number, TenantNumber(1));
  std::vector<Tenant> next = {{.id = tenant_id(3)}, {.id = tenant_id(2)}};
  numbers.assign(next);
  EXPECT_EQ(next[0].number, TenantNumber(2));
  EXPECT_EQ(next[1].number, TenantNumber(1));
  EXPECT_EQ(numbers.count(), 3U);
}

}  // namespace
}  // namespace partywall
