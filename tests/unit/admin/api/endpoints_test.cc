#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "admin/api/endpoint.h"
#include "admin/api/openapi.h"
#include "admin/api/openapi_schemas.h"

namespace partywall::admin {
namespace {

// An endpoint that tenant-admins may call shows them one tenant; nothing else does.
TEST(Endpoints, TenantAdminsGetWhatIsTheirsOnly) {
  for (const ApiEndpoint& endpoint : all_endpoints()) {
    SCOPED_TRACE(fmt::format("{} {}", endpoint.method, endpoint.pattern));
    if (endpoint.access.tenant_admins == TenantAdmins::kOwnTenant)
      EXPECT_TRUE(endpoint.pattern.starts_with("/v1/tenants/{tenant}"));
    if (endpoint.access.tenant_admins == TenantAdmins::kFiltered) EXPECT_EQ(endpoint.method, "GET");
  }
}

TEST(Endpoints, NobodyChangesAnythingAsAViewer) {
  for (const ApiEndpoint& endpoint : all_endpoints()) {
    SCOPED_TRACE(fmt::format("{} {}", endpoint.method, endpoint.pattern));
    if (endpoint.method != "GET") EXPECT_GE(endpoint.access.least, Role::kOperator);
    if (endpoint.method == "PUT" || endpoint.method == "PATCH" || endpoint.method == "POST")
      EXPECT_FALSE(endpoint.request_schema.empty());
    EXPECT_EQ(endpoint.success == 204, endpoint.response_schema.empty());
  }
}

TEST(Endpoints, EachIsThereOnce) {
  std::set<std::string> seen;
  for (const ApiEndpoint& endpoint : all_endpoints()) {
    EXPECT_TRUE(seen.insert(fmt::format("{} {}", endpoint.method, endpoint.pattern)).second)
        << endpoint.pattern;
  }
}

TEST(OpenApi, EverySchemaThatIsNamedIsThere) {
  const JsonValue schemas = openapi_schemas();
  for (const ApiEndpoint& endpoint : all_endpoints()) {
    for (const std::string_view name : {endpoint.request_schema, endpoint.response_schema}) {
      if (!name.empty()) EXPECT_NE(schemas.find(name), nullptr) << name;
    }
  }
}

// Set PARTYWALL_UPDATE_GOLDEN=1 to write the file anew.
TEST(OpenApi, TheReferenceIsWhatIsServed) {
  const std::string path = PARTYWALL_SOURCE_DIR "/docs/reference/openapi.json";
  const std::string document = openapi_document(all_endpoints());
  if (std::getenv("PARTYWALL_UPDATE_GOLDEN")) std::ofstream(path) << document;
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), document) << "run this test with PARTYWALL_UPDATE_GOLDEN=1";
}

}  // namespace
}  // namespace partywall::admin
