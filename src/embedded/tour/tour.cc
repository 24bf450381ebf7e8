#include "embedded/tour/tour.h"

#include "embedded/tour/steps.h"

namespace partywall::embedded {

bool run_tour(const TourPlan& plan, std::FILE* out) {
  TourReport report(out);
  Tour tour{.plan = plan,
            .report = report,
            .small = Visitor(plan.http, plan.small.token),
            .large = Visitor(plan.http, plan.large.token)};
  // The tenant that runs over its rate can do little at the http door for a while: so that comes
  // late.
  for (const auto step : {visit_own_products, try_the_http_door, try_the_sql_door,
                          try_the_cache_door, kill_an_instance, run_over_the_rate}) {
    if (plan.must_end()) {
      fmt::print(out, "\nThe tour was broken off.\n");
      return false;
    }
    step(tour);
  }
  if (report.failures() > 0) {
    fmt::print(out, "\n{} of {} were NOT as promised.\n", report.failures(), report.shown());
  } else {
    fmt::print(out, "\nAll {} were as promised.\n", report.shown());
  }
  return report.failures() == 0;
}

}  // namespace partywall::embedded
