#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace partywall::fleet {

// Requests over time: how many came in each step. One tenant's, or the sum of several.
struct LoadSeries {
  std::string name;
  WallTime start{};
  Duration step = minutes(1);
  std::vector<double> requests;  // in each step, at least 0

  [[nodiscard]] double total() const;
  [[nodiscard]] Duration length() const { return step * static_cast<int64_t>(requests.size()); }
};

// Reads "timestamp,value" lines (CSV with a header; "2014-04-10 00:04:00", UTC). The step is the
// usual distance of two timestamps; gaps are filled with zero, a repeated timestamp is added up.
// Fails, naming the line, on anything else, and beyond 10 million steps.
Result<LoadSeries> parse_load_csv(std::string name, std::string_view text);

// The sum of several series with equal steps, from the first start to the last end.
Result<LoadSeries> sum_of(const std::vector<LoadSeries>& series, std::string name);

// The same load in steps of `step` (at most the series' own): a count over minutes says nothing of
// the seconds within, so the rate is drawn as straight lines between the middles of the old steps.
// The total stays the same.
LoadSeries smoothed(const LoadSeries& series, Duration step);

// `count` steps from `first` on, as far as there are.
LoadSeries window_of(const LoadSeries& series, size_t first, size_t count);

}  // namespace partywall::fleet
