#include <csignal>
#include <thread>

#include "embedded/tour/steps.h"
#include "fleet/process/child_process.h"

namespace partywall::embedded {
namespace {

using fleet::InstanceState;
using fleet::ObservedInstance;

std::vector<ObservedInstance> observe(const TourPlan& plan) {
  return plan.provider.observe(plan.group).value_or(std::vector<ObservedInstance>());
}

bool kill_process(int process_id) {
  const auto identity = fleet::identify_process(process_id);
  const auto process = identity ? fleet::ChildProcess::adopt(*identity) : std::nullopt;
  if (process) process->signal(SIGKILL);
  return process.has_value();
}

bool has_come_back(const TourPlan& plan, const ObservedInstance& killed) {
  for (const ObservedInstance& now : observe(plan)) {
    if (now.id == killed.id)
      return now.state == InstanceState::kRunning && now.process_id != killed.process_id;
  }
  return false;
}

}  // namespace

void kill_an_instance(Tour& tour) {
  constexpr int kMostRequests = 600;
  constexpr Duration kPause = milliseconds(50);
  tour.report.heading("An application instance is killed, and comes back while requests go on");
  const auto before = observe(tour.plan);
  if (!tour.report.saw(before.size() > 1 && before.front().process_id > 0, "{} instances run",
                       before.size()))
    return;
  const ObservedInstance& victim = before.front();
  if (!tour.report.saw(kill_process(victim.process_id), "{} is killed (process {})",
                       victim.id.value(), victim.process_id)) {
    return;
  }
  int answered = 0;
  int failed = 0;
  std::string first_failure;
  bool back = false;
  while (!back && answered + failed < kMostRequests && !tour.plan.must_end()) {
    const auto answer = tour.large.get("/api/products?limit=1");
    ++(answer.status == 200 ? answered : failed);
    if (answer.status != 200 && failed == 1)
      first_failure = fmt::format("; {} {}", answer.status, answer.body);
    back = has_come_back(tour.plan, victim) && answers_health_check(victim);
    std::this_thread::sleep_for(kPause);
  }
  tour.report.saw(back, "{} is back, as another process", victim.id.value());
  tour.report.saw(failed == 0 && answered > 0, "meanwhile {} of {} requests were answered{}",
                  answered, answered + failed, first_failure);
}

}  // namespace partywall::embedded
