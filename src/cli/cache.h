#pragma once

#include <string>

namespace partywall::cli {

// `partywall cache provision`
struct CacheProvisionOptions {
  std::string platform_file;
  std::string cell;           // empty: every cell that has a cache
  std::string administrator;  // Redis user that may change users
  std::string password_file;
};

// Makes the users of the door and of all tenants in the Redis of the cells. Returns the exit code.
int cache_provision(const CacheProvisionOptions& options);

}  // namespace partywall::cli
