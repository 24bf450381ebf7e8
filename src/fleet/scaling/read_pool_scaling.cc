#include <array>

#include "base/text.h"
#include "fleet/scaling/instances.h"
#include "fleet/scaling/pool_scaling.h"

namespace partywall::fleet {
namespace {

constexpr std::array<Choice<RateSelect>, 3> kSelects = {{{"larger", RateSelect::kLarger},
                                                         {"smaller", RateSelect::kSmaller},
                                                         {"disabled", RateSelect::kDisabled}}};

constexpr std::array<Choice<SignalId>, 6> kSignals = {{{"offered_load", kOfferedLoad},
                                                       {"request_rate", kRequestRate},
                                                       {"cpu", kCpu},
                                                       {"memory", kMemory},
                                                       {"latency", kLatency},
                                                       {"queue_length", kQueueLength}}};

constexpr std::array<Choice<AdjustmentType>, 3> kAdjustments = {
    {{"change", AdjustmentType::kChangeInCapacity},
     {"exact", AdjustmentType::kExactCapacity},
     {"percent", AdjustmentType::kPercentChangeInCapacity}}};

void read_rules(YamlMap& map, ScaleRules& rules) {
  map.optional("stabilisation", rules.stabilisation, {Duration::zero(), hours(1)},
               "out: what was asked for least within it counts; in: what was asked for most");
  map.optional("instances", rules.rate.instances, {0, kMostInstances},
               "may change by so many within the period");
  map.optional("percent", rules.rate.percent, {0, 10'000}, "or by so many per cent");
  map.optional("period", rules.rate.period, {seconds(1), hours(1)}, "of the two above");
  map.optional_choice("select", rules.select, kSelects,
                      "which of the two counts; disabled: never in this direction");
}

void read_tracking(YamlMap& map, TargetTrackingSettings& tracking) {
  map.optional("tolerance", tracking.tolerance, {0.0, 1.0},
               "no change while the signal is within this share of its target");
  map.optional("window", tracking.window, {seconds(1), minutes(5)}, "the signal's mean over it");
  map.section("panic", "a short window that overrules the longer one", [&](YamlMap& panic) {
    PanicSettings settings;
    panic.optional("window", settings.window, {seconds(1), minutes(5)}, "the short window");
    panic.optional("threshold", settings.threshold, {1.0, 100.0},
                   "needs at least so many times what is ready");
    panic.optional("no_scale_in", settings.no_scale_in, {Duration::zero(), hours(1)},
                   "after the last panic");
    tracking.panic = settings;
  });
}

void read_target_utilisation(YamlMap& map, TargetTrackingSettings& tracking, double full) {
  double utilisation = tracking.target / full;
  map.optional("target_utilisation", utilisation, {0.05, 1.0},
               "how busy an instance is to be; the rest is room for what comes while more start");
  tracking.target = utilisation * full;
}

void read_alarms(YamlMap& map, AlarmPolicySettings& alarms) {
  alarms.conditions.clear();
  map.required_list("conditions", "each alone raises the alarm", [&](YamlMap& item) {
    AlarmCondition condition;
    item.required_choice("signal", condition.signal, kSignals, "what is looked at");
    item.required("above", condition.threshold, {0.0, 1e9},
                  "threshold: shares 0 to 1, latency in seconds, others as numbers");
    alarms.conditions.push_back(condition);
  });
  map.optional("period", alarms.period, {seconds(10), hours(1)}, "each value is a mean over it");
  map.optional("periods", alarms.periods, {1, 100}, "in a row above one threshold: scale out");
  map.optional("quiet_periods", alarms.quiet_periods, {1, 1'000},
               "in a row below all thresholds: scale in");
  const auto read_adjustment = [](YamlMap& section, Adjustment& adjustment) {
    section.optional_choice("type", adjustment.type, kAdjustments, "what the amount means");
    section.optional("amount", adjustment.amount, {-10'000, 10'000}, "how many, or per cent");
    section.optional("at_least", adjustment.at_least, {0, 10'000},
                     "instances that a percentage changes by");
  };
  map.section("out", "what an alarm does",
              [&](YamlMap& section) { read_adjustment(section, alarms.out); });
  map.section("in", "what quiet does",
              [&](YamlMap& section) { read_adjustment(section, alarms.in); });
  map.optional("cooldown", alarms.cooldown, {Duration::zero(), hours(1)},
               "after an action nothing more is done for so long");
}

// "08:30" is 510 minutes.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return std::chrono::minutes(hour * 60 + minute);
}

void read_time_of_day(YamlMap& map, std::string_view key, std::chrono::minutes& time,
                      std::string_view help) {
  std::string text;
  if (!map.required(key, text, help)) return;
  if (const auto parsed = parse_time_of_day(text)) {
    time = *parsed;
  } else {
    map.error(key, "'{}' is {}, but a time of day is written \"08:30\" (UTC)", key, text);
  }
}

void read_schedule(YamlMap& map, std::vector<ScheduleEntry>& schedule) {
  constexpr std::array<std::string_view, 7> kNames = {"mon", "tue", "wed", "thu",
                                                      "fri", "sat", "sun"};
  map.list("schedule", "known load: at least so many instances at known times", [&](YamlMap& item) {
    ScheduleEntry entry;
    std::vector<std::string> days;
    item.values("days", days, "mon to sun; absent: every day");
    if (!days.empty()) entry.weekdays = 0;
    for (const std::string& day : days) {
      const auto found = std::ranges::find(kNames, day);
      if (found == kNames.end()) {
        item.error("days", "no day '{}'{}", day, suggestion(day, kNames));
        continue;
      }
      entry.weekdays |= static_cast<uint8_t>(1U << (found - kNames.begin()));
    }
    read_time_of_day(item, "from", entry.from, "UTC, \"08:30\"");
    read_time_of_day(item, "to", entry.to, "UTC, exclusive; not after `from`: on the next day");
    item.required("instances", entry.count, {1, kMostInstances}, "at least so many");
    schedule.push_back(entry);
  });
}

void read_forecast(YamlMap& map, PredictivePolicySettings& forecast, double concurrency) {
  ForecastSettings& settings = forecast.forecast;
  double bearable = forecast.capacity / concurrency;
  map.optional("bearable_utilisation", bearable, {0.1, 1.0},
               "what the forecast load may bring an instance to");
  forecast.capacity = bearable * concurrency;
  map.optional("lead", settings.lead, {minutes(1), hours(2)},
               "from launching an instance to its full weight");
  map.optional("coverage", settings.coverage, {0.5, 0.9999},
               "how often the load within the lead is to stay below the forecast");
  map.optional("memory", settings.memory, {hours(1), hours(24 * 7)},
               "errors older than that hardly count");
  map.optional("proven_after", settings.proven_after, {minutes(10), hours(24 * 7)},
               "it acts only after so much time of forecasts that held");
}

// Reads a section into an optional that is set if the section is there.
template <class Settings, class Read>
void read_policy(YamlMap& map, std::string_view key, std::string_view help, Settings defaults,
                 std::optional<Settings>& into, Read read) {
  map.section(key, help, [&](YamlMap& section) {
    into = defaults;
    read(section, *into);
  });
}

}  // namespace

void read_pool_scaling(YamlMap& map, PoolScaling& scaling) {
  map.optional("min", scaling.bounds.min, {0, kMostInstances}, "never fewer instances");
  map.optional("max", scaling.bounds.max, {1, kMostInstances}, "never more instances");
  if (scaling.bounds.min > scaling.bounds.max) {
    map.error("min", "'min' is {}, more than 'max', which is {}", scaling.bounds.min,
              scaling.bounds.max);
    scaling.bounds.min = scaling.bounds.max;
  }
  map.optional("concurrency", scaling.concurrency, {1.0, 100'000.0},
               "requests that one instance works on at once");
  map.section("up", "how fast it may grow",
              [&](YamlMap& section) { read_rules(section, scaling.bounds.up); });
  map.section("down", "how fast it may shrink",
              [&](YamlMap& section) { read_rules(section, scaling.bounds.down); });

  const double full = scaling.concurrency;
  const PoolScaling usual = default_pool_scaling();
  TargetTrackingSettings offered_load = *usual.offered_load;
  offered_load.target *= full / usual.concurrency;
  read_policy(map, "offered_load", "by requests in flight and queued, which the http door knows",
              offered_load, scaling.offered_load, [&](YamlMap& section, auto& tracking) {
                read_target_utilisation(section, tracking, full);
                read_tracking(section, tracking);
              });
  read_policy(map, "cpu", "by the instances' processor use",
              named_pool_scaling("kubernetes")->cpu.value(), scaling.cpu,
              [&](YamlMap& section, auto& tracking) {
                read_target_utilisation(section, tracking, 1.0);
                read_tracking(section, tracking);
              });
  read_policy(map, "queue_length", "by jobs that wait, for pools of workers",
              TargetTrackingSettings{.name = "queue-length", .signal = kQueueLength, .target = 10},
              scaling.queue_length, [&](YamlMap& section, auto& tracking) {
                section.optional("jobs_per_instance", tracking.target, {0.01, 1e6},
                                 "jobs that may wait for each instance");
                read_tracking(section, tracking);
              });
  read_policy(map, "alarms", "CloudWatch alarms with simple scaling", AlarmPolicySettings{},
              scaling.alarms, read_alarms);
  read_schedule(map, scaling.schedule);
  PredictivePolicySettings forecast = *usual.forecast;
  forecast.capacity *= full / usual.concurrency;
  read_policy(map, "forecast", "launches what will be needed by the time it is ready", forecast,
              scaling.forecast,
              [&](YamlMap& section, auto& settings) { read_forecast(section, settings, full); });

  const bool any = scaling.offered_load || scaling.cpu || scaling.queue_length || scaling.alarms ||
                   !scaling.schedule.empty() || scaling.forecast;
  if (!any) {
    scaling.offered_load = offered_load;
    scaling.forecast = forecast;
  }
}

}  // namespace partywall::fleet
