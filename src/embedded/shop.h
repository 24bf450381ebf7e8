#pragma once

#include <cstdint>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "embedded/data_directory.h"
#include "embedded/engine_user.h"
#include "fleet/provider.h"

namespace partywall::embedded {

inline constexpr std::string_view kShopGroup = "shop";
inline constexpr uint32_t kShopInstances = 2;      // at least
inline constexpr uint32_t kMostShopInstances = 6;  // when it is busy

// The example application, where it lies on this machine.
struct ShopFiles {
  std::string application;  // folder with app.py, schema.sql, seed/
  std::string integration;  // folder with partywall_asgi.py
};

// Looks in PARTYWALL_HOME, in share/partywall beside the folder of the program, and in the folders
// above the program (a build folder within the sources).
Result<ShopFiles> find_shop();

// Where `user` can read it, who may not enter the folder of the sources: copies below the engines'
// folders; where it is, if we are that user.
Result<ShopFiles> lend_shop(const ShopFiles& files, const DataDirectory& directory,
                            const EngineUser& user);

// What an instance of it needs to reach the doors.
struct ShopAccess {
  Endpoint sql;
  std::string sql_user{};
  Secret sql_password;
  std::string database{};
  Endpoint cache;
};

fleet::InstanceSpec make_shop_spec(const ShopFiles& files, const ShopAccess& access,
                                   const EngineUser& user);

}  // namespace partywall::embedded
