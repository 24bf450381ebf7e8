#include "admin/node_status.h"

#include "base/json_writer.h"

namespace partywall::admin {
namespace {

constexpr MetricFamily kDirectoryVersion = {"partywall_directory_version", MetricType::kGauge,
                                            "Version of the directory that this node serves."};
constexpr MetricFamily kDirectoryAge = {"partywall_directory_age_seconds", MetricType::kGauge,
                                        "Time since this node got that directory."};
constexpr MetricFamily kTenants = {"partywall_directory_tenants", MetricType::kGauge,
                                   "Tenants in that directory, by status."};
constexpr MetricFamily kDraining = {"partywall_draining", MetricType::kGauge,
                                    "1 while the node finishes its work to stop."};

constexpr MetricFamily kStoreVersion = {"partywall_control_store_version", MetricType::kGauge,
                                        "Version of the control store that this node serves."};
constexpr MetricFamily kStoreConnected = {"partywall_control_store_connected", MetricType::kGauge,
                                          "1 while this node follows the control store."};
constexpr MetricFamily kStoreAge = {
    "partywall_control_store_age_seconds", MetricType::kGauge,
    "Time since the control store was last seen to have nothing newer."};
constexpr MetricFamily kStoreClosed = {
    "partywall_control_store_closed", MetricType::kGauge,
    "1 while no tenant is served, because the directory is older than directory.max_staleness."};

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void write_source(JsonWriter& json, const store::DirectorySourceStatus& source) {
  json.key("control_store").begin_object();
  json.key("version").value(source.version);
  json.key("connected").value(source.is_connected);
  json.key("closed").value(source.is_closed);
  json.key("age_seconds").value(to_seconds(source.age));
  if (!source.problem.empty()) json.key("problem").value(source.problem);
  json.end_object();
}

void write_source(MetricWriter& writer, const store::DirectorySourceStatus& source) {
  writer.family(kStoreVersion);
  writer.sample(source.version);
  writer.family(kStoreConnected);
  writer.sample(uint64_t{source.is_connected});
  writer.family(kStoreAge);
  writer.sample(to_seconds(source.age));
  writer.family(kStoreClosed);
  writer.sample(uint64_t{source.is_closed});
}

}  // namespace

NodeStatus::NodeStatus(DirectoryFeed& feed, const TimeSource& time, std::vector<DoorStatus> doors,
                       const store::DirectorySource* source)
    : feed_(feed), time_(time), doors_(std::move(doors)), source_(source) {
  subscription_ = feed_.subscribe([this](const DirectoryRef&) {
    directory_since_ns_.store(time_.monotonic().time_since_epoch().count(),
                              std::memory_order_relaxed);
  });
}

Duration NodeStatus::directory_age() const {
  return time_.monotonic().time_since_epoch() -
         Duration(directory_since_ns_.load(std::memory_order_relaxed));
}

Response NodeStatus::readiness() const {
  const bool draining = draining_.load(std::memory_order_relaxed);
  const DirectoryRef directory = feed_.current();
  const auto source = source_ ? std::optional(source_->status()) : std::nullopt;
  const bool ready = !draining && !(source && source->is_closed);
  Response response{.status = static_cast<uint16_t>(ready ? 200 : 503)};
  JsonWriter json(response.body);
  json.begin_object().key("ready").value(ready);
  json.key("draining").value(draining);
  json.key("directory").begin_object();
  json.key("version").value(directory->version());
  json.key("age_seconds").value(to_seconds(directory_age()));
  json.key("tenants").value(uint64_t{directory->tenants().size()});
  json.end_object();
  if (limits_ != nullptr) {
    const bool store = limits_->source() == SharedLimits::Source::kStore;
    const Duration since = time_.monotonic() - limits_->since();
    json.key("limits").begin_object();
    json.key("source").value(store ? "store" : "share");
    json.key("since_seconds").value(to_seconds(since));
    json.key("live_nodes").value(uint64_t{limits_->live_nodes()});
    json.end_object();
  }
  if (source) write_source(json, *source);
  json.key("doors").begin_array();
  for (const DoorStatus& door : doors_) {
    json.begin_object()
        .key("name")
        .value(door.name)
        .key("endpoint")
        .value(door.endpoint)
        .end_object();
  }
  json.end_array().end_object();
  response.body += '\n';
  return response;
}

void NodeStatus::write_metrics(MetricWriter& writer) const {
  const DirectoryRef directory = feed_.current();
  writer.family(kDirectoryVersion);
  writer.sample(directory->version());
  writer.family(kDirectoryAge);
  writer.sample(to_seconds(directory_age()));
  std::map<std::string_view, uint64_t> by_status;
  for (const Tenant& tenant : directory->tenants()) ++by_status[to_string(tenant.status)];
  writer.family(kTenants);
  for (const auto& [status, count] : by_status) writer.sample(count, {{"status", status}});
  writer.family(kDraining);
  writer.sample(uint64_t{draining_.load(std::memory_order_relaxed)});
  if (source_) write_source(writer, source_->status());
}

void add_node_handlers(Router& router, const MetricRegistry& metrics, const NodeStatus& status) {
  router.add("GET", "/metrics", [&metrics](const Request&) {
    return Response{.content_type = std::string(kOpenMetricsContentType), .body = metrics.render()};
  });
  // Alive: the process answers. Whether it should get traffic is /readyz.
  router.add("GET", "/healthz", [](const Request&) {
    return Response{.content_type = "text/plain; charset=utf-8", .body = "ok\n"};
  });
  router.add("GET", "/readyz", [&status](const Request&) { return status.readiness(); });
}

}  // namespace partywall::admin
