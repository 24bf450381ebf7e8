#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "base/endpoint.h"
#include "base/secret.h"
#include "base/time.h"
#include "embedded/demo_tenants.h"
#include "fleet/provider.h"

namespace partywall::embedded {

// A tenant of the demo as its users see it.
struct TourTenant {
  DemoTenant tenant;
  std::string token{};  // a JSON Web Token
};

// What the tour visits.
struct TourPlan {
  Endpoint http;
  Endpoint sql;
  Endpoint cache;
  std::string database{};
  TourTenant small;  // on the free tier
  TourTenant large;  // on the enterprise tier
  fleet::Provider& provider;
  fleet::GroupName group;          // of the application's instances
  std::function<bool()> must_end;  // asked between the steps
};

// Shows, through the doors and as the tenants' own users, what Partywall promises; tells on `out`
// what it does and sees. Returns whether everything was as promised.
bool run_tour(const TourPlan& plan, std::FILE* out);

}  // namespace partywall::embedded
