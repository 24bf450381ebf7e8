#pragma once

#include <string>
#include <vector>

#include "base/endpoint.h"
#include "embedded/demo_tenants.h"
#include "embedded/platform_writer.h"
#include "embedded/postgresql.h"
#include "embedded/redis.h"
#include "embedded/tour/tour.h"
#include "fleet/provider.h"

namespace partywall::embedded {

// Everything that somebody needs to use the stack that runs: where, and as whom.
struct RunRecord {
  std::string data_directory{};
  Endpoint http;
  Endpoint sql;
  Endpoint cache;
  Endpoint admin;
  PostgresqlServer postgresql;
  RedisServer redis;
  std::vector<TourTenant> tenants{};
  Secret application_password;
  Secret migration_password;
  std::vector<fleet::ObservedInstance> instances{};
};

// One JSON object with secrets in it: for a private file.
[[nodiscard]] std::string write_run_record(const RunRecord& record);

// For people: where the doors are, and for each tenant a curl, a psql and a redis-cli line.
[[nodiscard]] std::string describe_run(const RunRecord& record);

}  // namespace partywall::embedded
