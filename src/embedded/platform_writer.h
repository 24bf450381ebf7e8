#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/random.h"
#include "base/result.h"
#include "embedded/demo_tenants.h"

namespace partywall::embedded {

inline constexpr std::string_view kCellName = "main";
inline constexpr std::string_view kDatabaseName = "shop";
inline constexpr std::string_view kPoolName = "web";
inline constexpr std::string_view kApplicationLogin = "app";
inline constexpr std::string_view kMigrationLogin = "migrate";
inline constexpr std::string_view kOwnerRole = "shop_owner";
inline constexpr std::string_view kProvisionerRole = "partywall_provisioner";
inline constexpr std::string_view kDoorUser = "partywall-door";
inline constexpr uint32_t kSlotCount = 40;

// What of the embedded platform differs from one start or data folder to the next.
struct EmbeddedPlatform {
  uint32_t workers = 0;  // 0: one per processor
  Endpoint http;
  Endpoint sql;
  Endpoint cache;
  Endpoint admin;
  std::string access_log{};  // a path
  Endpoint postgresql;
  Endpoint redis;
  std::vector<DemoTenant> tenants{};
  Secret application_password{};
  Secret migration_password{};
  std::string issuer{};
  std::string audience{};
};

// Names of the files below secrets/ that the platform file refers to.
namespace secret_files {
inline constexpr std::string_view kContextKey = "context-key";
inline constexpr std::string_view kRegisterKey = "register-key";
inline constexpr std::string_view kSlotPassword = "slot-roles";
inline constexpr std::string_view kOwnerPassword = "shop-owner";
inline constexpr std::string_view kProvisionerPassword = "provisioner";
inline constexpr std::string_view kDoorPassword = "redis-door";
inline constexpr std::string_view kTenantPassword = "redis-tenants";
inline constexpr std::string_view kIssuerKey = "issuer.pem";
inline constexpr std::string_view kIssuerKeySet = "issuer-jwks.json";
}  // namespace secret_files

// The text of the platform file, to be written beside the folder secrets/.
Result<std::string> write_platform(const EmbeddedPlatform& platform, Random& random);

}  // namespace partywall::embedded
