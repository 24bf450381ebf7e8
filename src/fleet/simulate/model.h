#pragma once

#include <cstdint>

#include "base/time.h"

namespace partywall::fleet {

// What the simulated instances are like.
struct ServiceModel {
  double concurrency = 20;  // requests that an instance of full weight works on at once
  Duration service_time = milliseconds(100);  // mean, without waiting
  double service_spread = 0.5;                // sigma of the (log-normal) service time's logarithm
  Duration boot = seconds(150);         // from launching to the first request, checks included
  Duration boot_spread{};               // uniformly up to this much more
  Duration slow_start = seconds(300);   // linear, as the http door does it
  double slow_start_least = 0.1;        // weight at its beginning
  Duration longest_wait = seconds(30);  // who waits for longer has failed
};

struct SimulationSettings {
  ServiceModel service;
  Duration decide_every = seconds(15);
  double risk_utilisation = 0.85;   // requests that come while it is above are "at risk"
  double target_utilisation = 0.6;  // what the look-ahead reference keeps
  double price_per_instance_hour = 0;
  uint32_t initial = 0;  // instances at the start; 0: what the first step needs
  uint64_t seed = 1;     // of boot times

  // Requests in flight of an instance at the target.
  [[nodiscard]] double target_load() const { return service.concurrency * target_utilisation; }
  // From launching to full weight.
  [[nodiscard]] Duration lead() const { return service.boot + service.slow_start; }
};

}  // namespace partywall::fleet
