#include "fleet/scaling/forecast.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {
namespace {

constexpr size_t kMinutesADay = 24 * 60;
constexpr size_t kDays = 8;
constexpr size_t kTrendMinutes = 10;
// Keeps logarithms finite, and small numbers from looking like large ratios.
constexpr double kLeastLoad = 0.01;

double minutes_of(Duration duration) {
  return std::chrono::duration<double, std::ratio<60>>(duration).count();
}

}  // namespace

LoadForecast::LoadForecast(ForecastSettings settings)
    : settings_(settings),
      lead_minutes_(std::max<size_t>(1, static_cast<size_t>(std::ceil(minutes_of(settings.lead))))),
      history_(kDays * kMinutesADay),
      errors_(kModelCount, DecayedHistogram(minutes_of(settings.memory))) {}

std::array<double, LoadForecast::kModelCount> LoadForecast::forecasts() const {
  const auto at = [&](size_t minutes_ago) {
    return history_[(minutes_ - 1 - minutes_ago) % history_.size()];
  };
  const double now = std::max(at(0), kLeastLoad);
  std::array<double, kModelCount> most{now, now, now};

  const size_t reach = std::min(kTrendMinutes, minutes_ - 1);
  if (reach > 0) {
    const double slope = (at(0) - at(reach)) / static_cast<double>(reach);
    most[kTrend] = std::max(now, now + slope * static_cast<double>(lead_minutes_));
  }
  // The growth that followed this minute on each earlier day; the middle one of up to seven.
  std::array<double, kDays - 1> growth{};
  size_t days = 0;
  for (size_t day = 1; day < kDays && day * kMinutesADay < minutes_; ++day) {
    const size_t then = day * kMinutesADay;
    double peak = 0;
    for (size_t ahead = 1; ahead <= lead_minutes_; ++ahead) peak = std::max(peak, at(then - ahead));
    growth[days++] = peak / std::max(at(then), kLeastLoad);
  }
  if (days > 0) {
    std::ranges::nth_element(growth.begin(), growth.begin() + days / 2, growth.begin() + days);
    most[kDaily] = std::max(now, now * growth[days / 2]);
  }
  return most;
}

void LoadForecast::settle(const Pending& pending) {
  const double outcome = std::log(std::max(pending.most_since, kLeastLoad));
  // A plain mean until there is enough to forget.
  const double fade =
      1.0 / std::min(minutes_of(settings_.memory), static_cast<double>(settled_ + 1));
  const Model speaking = best();
  for (size_t model = 0; model < kModelCount; ++model) {
    const double error = outcome - pending.log_forecast[model];
    const double miss = error - pending.log_margin[model];
    const double loss = miss > 0 ? settings_.coverage * miss : (settings_.coverage - 1) * miss;
    pinball_loss_[model] += (loss - pinball_loss_[model]) * fade;
    if (model == speaking) covered_ += ((miss <= 0 ? 1.0 : 0.0) - covered_) * fade;
    errors_[model].add(error);
  }
  ++settled_;
}

LoadForecast::Model LoadForecast::best() const {
  const auto least = std::ranges::min_element(pinball_loss_);
  return static_cast<Model>(least - pinball_loss_.begin());
}

void LoadForecast::add_minute(double load) {
  history_[minutes_ % history_.size()] = load;
  ++minutes_;
  for (Pending& pending : pending_) pending.most_since = std::max(pending.most_since, load);
  while (!pending_.empty() && pending_.front().due <= minutes_) {
    settle(pending_.front());
    pending_.pop_front();
  }
  Pending pending{.due = minutes_ + lead_minutes_};
  const auto most = forecasts();
  for (size_t model = 0; model < kModelCount; ++model) {
    pending.log_forecast[model] = std::log(most[model]);
    pending.log_margin[model] = errors_[model].quantile(settings_.coverage);
  }
  pending_.push_back(pending);
}

std::optional<LoadForecast::Outlook> LoadForecast::outlook() const {
  if (pending_.empty() || settled_ == 0) return std::nullopt;
  const Pending& latest = pending_.back();
  const Model model = best();
  // Later forecasts may not yet have seen the worst of their lead: how often they hold is allowed
  // to be a little less than promised.
  constexpr double kTolerated = 0.03;
  const bool proven = static_cast<double>(settled_) >= minutes_of(settings_.proven_after) &&
                      covered_ >= settings_.coverage - kTolerated;
  return Outlook{std::exp(latest.log_forecast[model] + latest.log_margin[model]), proven};
}

}  // namespace partywall::fleet
