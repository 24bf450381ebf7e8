#include "fleet/simulate/simulator.h"

#include <algorithm>
#include <cmath>

#include "fleet/scaling/instances.h"
#include "fleet/simulate/simulated_fleet.h"

namespace partywall::fleet {
namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// In how much time a queue is to be served beside what arrives: as the http door reports it.
constexpr double kDrainSeconds = 30;

// The flow of requests through the fleet between two events, and what is counted of it.
class Flow {
 public:
  Flow(const SimulationSettings& settings, SimulationResult& result)
      : settings_(settings), latency_(settings.service), result_(result) {}

  // `rate`: requests a second; `weight`: of the ready instances.
  void run(double seconds, double rate, double weight, uint32_t instances) {
    const double service = seconds_of(settings_.service.service_time);
    const double slots = weight * settings_.service.concurrency;
    const double offered = rate * service;
    const double served_rate = slots / service;
    const double utilisation = slots > 0 ? offered / slots : (offered > 0 ? 1e9 : 0);
    const double arrived = rate * seconds;
    const double backlog_before = backlog_;
    settle_backlog(seconds, rate, served_rate);
    const double mean_backlog = (backlog_before + backlog_) / 2;

    const bool at_risk = utilisation > settings_.risk_utilisation || mean_backlog > 0;
    result_.requests += arrived;
    if (at_risk) result_.at_risk += arrived;
    latency_.add(slots, utilisation, served_rate > 0 ? mean_backlog / served_rate : 0, arrived,
                 histogram_);
    count_provision(seconds, offered, weight);
    count_recovery(seconds, at_risk);
    result_.instance_hours += seconds * instances / 3600;

    sampled_seconds_ += seconds;
    sampled_load_ += (offered + mean_backlog * service / kDrainSeconds) * seconds;
    sampled_cpu_ += std::min(utilisation, 1.0) * seconds;
    last_ = {.offered = offered,
             .slots = slots,
             .backlog = backlog_,
             .wait = served_rate > 0 ? backlog_ / served_rate : 0};
  }

  // What the doors and the instances would have reported since the last time.
  void report(PoolSignals& signals, MonotonicTime now) {
    if (sampled_seconds_ <= 0) return;
    signals.add(kOfferedLoad, now, sampled_load_ / sampled_seconds_);
    signals.add(kCpu, now, sampled_cpu_ / sampled_seconds_);
    signals.add(kMemory, now, 0.5);
    signals.add(kLatency, now, latency_.p95(last_.wait));
    sampled_seconds_ = sampled_load_ = sampled_cpu_ = 0;
  }

  void finish() {
    end_recovery();
    result_.p50 = histogram_.quantile(0.5);
    result_.p95 = histogram_.quantile(0.95);
    result_.p99 = histogram_.quantile(0.99);
    if (seconds_ > 0) {
      for (double* share : {&result_.under_provision, &result_.over_provision, &result_.under_time,
                            &result_.over_time}) {
        *share /= seconds_;
      }
    }
    if (recoveries_ > 0) result_.mean_recovery = recovery_seconds_ / recoveries_;
  }

  struct Last {
    double offered = 0;
    double slots = 0;
    double backlog = 0;
    double wait = 0;
  };
  [[nodiscard]] const Last& last() const { return last_; }

 private:
  // Who would wait for longer than is bearable fails at once; the others are served in order.
  void settle_backlog(double seconds, double rate, double served_rate) {
    backlog_ = std::max(0.0, backlog_ + (rate - served_rate) * seconds);
    const double most = served_rate * seconds_of(settings_.service.longest_wait);
    if (backlog_ > most) {
      result_.failed += backlog_ - most;
      backlog_ = most;
    }
  }

  void count_provision(double seconds, double offered, double weight) {
    seconds_ += seconds;
    const double needed = offered / settings_.target_load();
    if (needed <= 0) return;
    // Less than one instance too many or too few is not a fault: instances are whole.
    const double difference = weight - needed;
    if (difference <= -1) {
      result_.under_provision += seconds * -difference / needed;
      result_.under_time += seconds;
    } else if (difference >= 1) {
      result_.over_provision += seconds * difference / needed;
      result_.over_time += seconds;
    }
  }

  void count_recovery(double seconds, bool at_risk) {
    if (at_risk) {
      recovering_ += seconds;
    } else {
      end_recovery();
    }
  }

  void end_recovery() {
    if (recovering_ <= 0) return;
    ++recoveries_;
    recovery_seconds_ += recovering_;
    result_.worst_recovery = std::max(result_.worst_recovery, recovering_);
    recovering_ = 0;
  }

  const SimulationSettings& settings_;
  LatencyModel latency_;
  LatencyHistogram histogram_;
  SimulationResult& result_;
  double backlog_ = 0;
  double seconds_ = 0;
  double sampled_seconds_ = 0;
  double sampled_load_ = 0;
  double sampled_cpu_ = 0;
  double recovering_ = 0;
  double recovery_seconds_ = 0;
  uint64_t recoveries_ = 0;
  Last last_;
};

}  // namespace

SimulationResult simulate(const SimulationInput& input, const std::string& policy, Scaler& scaler) {
  const SimulationSettings& settings = input.settings;
  const LoadSeries& load = input.load;
  SimulationResult result{.policy = policy};
  SeededRandom random(settings.seed);
  SimulatedFleet fleet(settings.service, random);
  PoolSignals signals;
  Flow flow(settings, result);

  const auto rate_of = [&](size_t step) { return load.requests[step] / seconds_of(load.step); };
  const MonotonicTime start{};
  const MonotonicTime end = start + load.length();
  uint32_t desired = settings.initial;
  if (desired == 0 && !load.requests.empty()) {
    desired = whole_instances(rate_of(0) * seconds_of(settings.service.service_time) /
                              settings.target_load());
  }
  desired = std::clamp(desired, scaler.settings().min, scaler.settings().max);
  fleet.start_with(desired);

  const size_t points_wanted = std::max<size_t>(input.most_points, 1);
  const Duration point_every = std::max(load.length() / static_cast<int64_t>(points_wanted),
                                        Duration(settings.decide_every));
  MonotonicTime next_point = start;
  MonotonicTime next_decision = start + settings.decide_every;
  auto disruption = input.disruptions.begin();
  size_t step = 0;
  for (MonotonicTime now = start; now < end;) {
    const MonotonicTime step_ends = start + load.step * static_cast<int64_t>(step + 1);
    MonotonicTime next = std::min({step_ends, next_decision, fleet.next_ready(), end});
    if (disruption != input.disruptions.end()) {
      next = std::clamp(start + disruption->after, now, next);
    }
    // The weight in slow start grows between events: its value in the middle stands for all.
    flow.run(seconds_of(next - now), rate_of(step), fleet.weight(now + (next - now) / 2),
             fleet.launched());
    result.peak_instances = std::max(result.peak_instances, fleet.launched());
    now = next;
    fleet.advance(now);
    if (disruption != input.disruptions.end() && now >= start + disruption->after) {
      fleet.lose_share(disruption->share);
      ++disruption;
    }
    if (now >= step_ends) ++step;
    if (now >= next_point) {
      result.points.push_back({load.start + std::chrono::duration_cast<milliseconds>(now - start),
                               flow.last().offered, flow.last().slots, fleet.launched(),
                               flow.last().backlog});
      next_point = now + point_every;
    }
    if (now >= next_decision) {
      next_decision += settings.decide_every;
      flow.report(signals, now);
      const Observation observation{
          .now = now,
          .wall = load.start + std::chrono::duration_cast<milliseconds>(now - start),
          .capacity = {.desired = desired,
                       .ready = fleet.ready(),
                       .ready_weight = fleet.weight(now)},
          .signals = signals};
      const ScalingDecision decision = scaler.decide(observation);
      ++result.decisions;
      if (decision.changes()) ++result.actions;
      desired = decision.count;
      // Also without a change: what was lost is launched again.
      fleet.scale_to(desired, now);
    }
  }
  flow.finish();
  result.reference_hours = look_ahead_hours(input, scaler.settings().min);
  result.cost = result.instance_hours * settings.price_per_instance_hour;
  return result;
}

}  // namespace partywall::fleet
