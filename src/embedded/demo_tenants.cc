#include "embedded/demo_tenants.h"

namespace partywall::embedded {
namespace {

// Ids are no secrets; fixed ones make the demo's output the same on every machine.
constexpr std::string_view kAcmeId = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kGlobexId = "22222222-2222-4222-8222-222222222222";

}  // namespace

Result<std::vector<DemoTenant>> make_demo_tenants(SecretStore& secrets) {
  std::vector<DemoTenant> tenants = {{.id = TenantId(Uuid::parse(kAcmeId).value()),
                                      .slug = "acme",
                                      .name = "Acme Corporation",
                                      .tier = "free",
                                      .cache_database = 1},
                                     {.id = TenantId(Uuid::parse(kGlobexId).value()),
                                      .slug = "globex",
                                      .name = "Globex Corporation",
                                      .tier = "enterprise",
                                      .cache_database = 2}};
  for (DemoTenant& tenant : tenants) {
    auto sql = secrets.password(tenant.slug + "-sql");
    if (!sql) return std::unexpected(sql.error());
    auto cache = secrets.password(tenant.slug + "-cache");
    if (!cache) return std::unexpected(cache.error());
    tenant.sql_password = *std::move(sql);
    tenant.cache_secret = *std::move(cache);
  }
  return tenants;
}

}  // namespace partywall::embedded
