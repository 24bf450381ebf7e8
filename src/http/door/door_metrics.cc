#include "http/door/door_metrics.h"

namespace partywall::http {
namespace {

constexpr std::array<MetricFamily, std::to_underlying(HttpMeter::kCount)> kTenantFamilies = {{
    {"partywall_http_requests", MetricType::kCounter, "Requests, by tenant"},
    {"partywall_http_server_errors", MetricType::kCounter, "Requests answered with 5xx, by tenant"},
    {"partywall_http_throttled", MetricType::kCounter,
     "Requests refused with 429 by the door, by tenant"},
    {"partywall_http_refused", MetricType::kCounter,
     "Requests refused with another 4xx by the door, by tenant"},
    {"partywall_http_received_bytes", MetricType::kCounter, "Bytes received, by tenant"},
    {"partywall_http_sent_bytes", MetricType::kCounter, "Bytes sent, by tenant"},
    {"partywall_http_queued", MetricType::kCounter,
     "Requests that waited for their turn, by tenant"},
    {"partywall_http_queue_milliseconds", MetricType::kCounter,
     "Time that requests waited for their turn, by tenant"},
    {"partywall_http_slow", MetricType::kCounter,
     "Requests that took longer than the tier's threshold, by tenant"},
}};

constexpr std::array<MetricFamily, std::to_underlying(DoorCounter::kCount)> kDoorFamilies = {{
    {"partywall_http_connections", MetricType::kCounter, "Connections accepted"},
    {"partywall_http_connections_refused", MetricType::kCounter,
     "Connections closed at once because there were too many"},
    {"partywall_http_connections_closed", MetricType::kCounter, "Accepted connections that ended"},
    {"partywall_http_upstream_connections", MetricType::kCounter,
     "Connections opened to application instances"},
    {"partywall_http_upstream_reused", MetricType::kCounter,
     "Requests sent over a connection that had served another one"},
    {"partywall_http_upstream_failures", MetricType::kCounter,
     "Attempts that failed at the application instance"},
    {"partywall_http_upstream_retries", MetricType::kCounter,
     "Attempts that followed a failed one"},
    {"partywall_http_upstream_retries_refused", MetricType::kCounter,
     "Attempts that the tenant's retry budget did not allow"},
    {"partywall_http_instances_taken_out", MetricType::kCounter,
     "Times that an instance was taken out because its requests failed"},
    {"partywall_http_client_aborts", MetricType::kCounter,
     "Requests whose client went away before the response was whole"},
}};

constexpr MetricFamily kProblems{"partywall_http_problems", MetricType::kCounter,
                                 "Requests that the door answered itself, by problem"};
constexpr MetricFamily kDurations{"partywall_http_request_duration_seconds", MetricType::kHistogram,
                                  "From a request's head to the end of its response, by tier"};
constexpr MetricFamily kInstances{"partywall_http_instances", MetricType::kGauge,
                                  "Application instances, by health"};

constexpr std::pair<UsageMeter, HttpMeter> kUsage[] = {
    {UsageMeter::kHttpRequests, HttpMeter::kRequests},
    {UsageMeter::kHttpErrors, HttpMeter::kServerErrors},
    {UsageMeter::kHttpThrottled, HttpMeter::kThrottled},
    {UsageMeter::kHttpSlow, HttpMeter::kSlow},
    {UsageMeter::kHttpReceivedBytes, HttpMeter::kReceivedBytes},
    {UsageMeter::kHttpSentBytes, HttpMeter::kSentBytes},
    {UsageMeter::kHttpQueueMilliseconds, HttpMeter::kQueueMilliseconds},
};

std::string_view to_string(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return "unknown";
}

}  // namespace

Histogram& WorkerMetrics::durations(std::string_view tier) {
  const std::lock_guard lock(durations_mutex_);
  auto found = durations_.find(tier);
  if (found == durations_.end()) {
    found = durations_.emplace(std::string(tier), std::make_unique<Histogram>()).first;
  }
  return *found->second;
}

void WorkerMetrics::add_durations(std::map<std::string, Histogram, std::less<>>& sums) const {
  const std::lock_guard lock(durations_mutex_);
  for (const auto& [tier, histogram] : durations_) histogram->add_to(sums[tier]);
}

void DoorMetrics::write_metrics(MetricWriter& writer) const {
  write_tenants(writer);
  write_workers(writer);
  write_instances(writer);
}

uint64_t DoorMetrics::sum_of(TenantNumber tenant, HttpMeter meter) const {
  uint64_t sum = 0;
  for (const WorkerMetrics* worker : workers_) sum += worker->tenants.value(tenant, meter);
  return sum;
}

void DoorMetrics::add_usage(TenantNumber tenant, UsageCounts& counts) const {
  for (const auto& [meter, counted] : kUsage) counts.add(meter, sum_of(tenant, counted));
}

void DoorMetrics::write_tenants(MetricWriter& writer) const {
  const DirectoryRef directory = directory_.current();
  for (size_t i = 0; i < kTenantFamilies.size(); ++i) {
    writer.family(kTenantFamilies[i]);
    for (const Tenant& tenant : directory->tenants()) {
      writer.sample(sum_of(tenant.number, static_cast<HttpMeter>(i)), {{"tenant", tenant.slug}});
    }
  }
  std::map<std::string, Histogram, std::less<>> durations;
  for (const WorkerMetrics* worker : workers_) worker->add_durations(durations);
  writer.family(kDurations);
  for (const auto& [tier, histogram] : durations) {
    writer.sample(histogram, {{"tier", tier.empty() ? "none" : std::string_view(tier)}});
  }
}

void DoorMetrics::write_workers(MetricWriter& writer) const {
  const auto sum_of = [this](auto what) {
    uint64_t sum = 0;
    for (const WorkerMetrics* worker : workers_) sum += worker->value(what);
    return sum;
  };
  for (size_t i = 0; i < kDoorFamilies.size(); ++i) {
    writer.family(kDoorFamilies[i]);
    writer.sample(sum_of(static_cast<DoorCounter>(i)));
  }
  writer.family(kProblems);
  for (size_t i = 0; i < std::to_underlying(Problem::kCount); ++i) {
    const auto problem = static_cast<Problem>(i);
    writer.sample(sum_of(problem), {{"problem", describe(problem).name}});
  }
}

void DoorMetrics::write_instances(MetricWriter& writer) const {
  writer.family(kInstances);
  const auto counts = health_.count();
  for (const Health health : {Health::kUp, Health::kDown, Health::kUnknown}) {
    const auto found = counts.find(health);
    writer.sample(found == counts.end() ? uint64_t{0} : found->second,
                  {{"health", to_string(health)}});
  }
}

}  // namespace partywall::http
