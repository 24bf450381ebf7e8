#include "fleet/loop/load_meter.h"

#include <algorithm>

namespace partywall::fleet {
namespace {

constexpr double kDrainSeconds = 30;  // what waits is to be served within it (kOfferedLoad)

struct Counts {
  double begun = 0;
  double ended = 0;
  double in_flight = 0;
};

double in_flight(const PoolLoad& load) {
  double sum = 0;
  for (const InstanceLoad& instance : load.instances) sum += instance.in_flight;
  return sum;
}

// What happened between the two. An instance that came anew has counted from zero.
Counts between(const PoolLoad& before, const PoolLoad& after) {
  Counts counts;
  for (const InstanceLoad& instance : after.instances) {
    const InstanceLoad* const old = before.find(instance.id, instance.endpoint);
    const bool continues = old && old->begun <= instance.begun && old->ended <= instance.ended;
    counts.begun += static_cast<double>(instance.begun - (continues ? old->begun : 0));
    counts.ended += static_cast<double>(instance.ended - (continues ? old->ended : 0));
  }
  counts.in_flight = (in_flight(before) + in_flight(after)) / 2;
  return counts;
}

}  // namespace

void LoadMeter::look(const PoolLoad& load, PoolSignals& signals) {
  if (last_ && load.at <= last_->at) return;
  if (last_) {
    const double elapsed = std::chrono::duration<double>(load.at - last_->at).count();
    const Counts counts = between(*last_, load);
    const auto waiting = static_cast<double>(load.waiting);
    const double came = std::max(0.0, counts.begun + waiting - static_cast<double>(last_->waiting));
    double offered = counts.in_flight;  // Little's law, as long as nobody waits
    if (waiting > 0 && counts.ended > 0) {
      const double service = counts.in_flight * elapsed / counts.ended;
      offered = std::max(offered, came / elapsed * service) + waiting * service / kDrainSeconds;
    } else if (waiting > 0) {
      offered += waiting;  // nothing comes to an end: how long requests take is not known
    }
    signals.add(kOfferedLoad, load.at, offered);
    signals.add(kRequestRate, load.at, came / elapsed);
  }
  last_ = load;
}

}  // namespace partywall::fleet
