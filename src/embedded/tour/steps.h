#pragma once

#include <map>
#include <string>

#include "embedded/tour/report.h"
#include "embedded/tour/tour.h"
#include "embedded/tour/visitor.h"

// The steps of the tour, one function each; tour.cc calls them in turn.
namespace partywall::embedded {

// What the steps share.
struct Tour {
  const TourPlan& plan;
  TourReport& report;
  Visitor small;
  Visitor large;
  std::map<std::string, int64_t> small_products{};  // from the first step on
  std::map<std::string, int64_t> large_products{};
};

void visit_own_products(Tour& tour);
void try_the_http_door(Tour& tour);
void try_the_sql_door(Tour& tour);
void try_the_cache_door(Tour& tour);
void run_over_the_rate(Tour& tour);
void kill_an_instance(Tour& tour);

}  // namespace partywall::embedded
