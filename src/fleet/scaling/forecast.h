#pragma once

#include <array>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "fleet/scaling/decayed_histogram.h"

namespace partywall::fleet {

struct ForecastSettings {
  Duration lead = seconds(450);  // from launching an instance to its full weight
  double coverage = 0.985;       // how often the load within the lead is to stay below the forecast
  Duration memory = hours(24);   // errors older than that hardly count
  Duration proven_after = hours(6);  // of forecasts whose outcome is known
};

// How high the load will be at most within the lead, with a given confidence. Several simple models
// compete: what is there now, the trend of the last minutes, and what came after this minute on
// earlier days. Each is widened by its own past errors, so that it covers what it says; the one
// with the least pinball loss (Koenker and Bassett, 1978) speaks. All errors are those of forecasts
// that were made before their outcome was known: a back-test that runs for ever.
class LoadForecast {
 public:
  explicit LoadForecast(ForecastSettings settings);

  // The mean load of a minute, minute after minute.
  void add_minute(double load);

  struct Outlook {
    double most = 0;      // at most this within the lead
    bool proven = false;  // the back-test says that it may act
  };
  // nullopt as long as nothing is known.
  [[nodiscard]] std::optional<Outlook> outlook() const;

 private:
  enum Model : uint8_t { kPersistence, kTrend, kDaily, kModelCount };

  struct Pending {
    std::array<double, kModelCount> log_forecast{};  // without the error margin
    std::array<double, kModelCount> log_margin{};    // as it was then
    double most_since = 0;
    size_t due = 0;
  };

  [[nodiscard]] std::array<double, kModelCount> forecasts() const;
  void settle(const Pending& pending);
  [[nodiscard]] Model best() const;

  ForecastSettings settings_;
  size_t lead_minutes_;
  std::vector<double> history_;  // the last eight days, a ring
  size_t minutes_ = 0;           // ever added
  std::deque<Pending> pending_;
  std::vector<DecayedHistogram> errors_;            // of each model
  std::array<double, kModelCount> pinball_loss_{};  // decayed means
  double covered_ = 0;                              // share of late forecasts that held, decayed
  size_t settled_ = 0;
};

}  // namespace partywall::fleet
