#include "fleet/loop/pool_status.h"

#include "base/json_writer.h"
#include "base/rfc3339.h"

namespace partywall::fleet {
namespace {

void write_reading(JsonWriter& json, std::string_view name, const Reading& reading) {
  json.key(name);
  if (reading.fresh()) {
    json.value(reading.value);
  } else {
    json.null();
  }
}

void write_instance(JsonWriter& json, const InstanceStatus& status) {
  const ObservedInstance& observed = status.view.observed;
  json.begin_object();
  json.key("id").value(observed.id.value());
  json.key("endpoint").value(observed.endpoint.to_string());
  json.key("state").value(to_string(observed.state));
  json.key("health").value(to_string(status.health));
  json.key("draining").value(status.draining);
  json.key("in_flight").value(status.view.load ? status.view.load->in_flight : 0U);
  json.key("share").value(status.view.load ? status.view.load->share : 0.0);
  json.key("process_id").value(observed.process_id);
  json.key("restarts").value(observed.restarts);
  json.key("since").value(format_rfc3339(observed.since));
  json.key("last_exit").value(observed.last_exit);
  json.key("memory_bytes");
  if (status.view.memory_bytes) {
    json.value(*status.view.memory_bytes);
  } else {
    json.null();
  }
  json.end_object();
}

}  // namespace

std::string_view to_string(InstanceHealth::State state) {
  switch (state) {
    case InstanceHealth::State::kHealthy:
      return "healthy";
    case InstanceHealth::State::kStarting:
      return "starting";
    case InstanceHealth::State::kUnhealthy:
      return "unhealthy";
  }
  return "unknown";
}

std::string to_json(const PoolStatus& status) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("cell").value(status.cell);
  json.key("pool").value(status.pool);
  json.key("version").value(status.version);
  json.key("min").value(status.bounds.min);
  json.key("max").value(status.bounds.max);
  json.key("desired").value(status.capacity.desired);
  json.key("ready").value(status.capacity.ready);
  json.key("ready_weight").value(status.capacity.ready_weight);
  json.key("paused").value(status.paused);
  json.key("braked").value(status.braked);
  write_reading(json, "offered_load", status.offered_load);
  write_reading(json, "request_rate", status.request_rate);
  write_reading(json, "cpu", status.cpu);
  json.key("explanation").value(status.explanation);
  json.key("trouble").value(status.trouble);
  json.key("instances").begin_array();
  for (const InstanceStatus& instance : status.instances) write_instance(json, instance);
  json.end_array();
  json.end_object();
  return out;
}

std::string to_json(const PoolEvent& event) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("time").value(format_rfc3339(event.at));
  json.key("kind").value(to_string(event.kind));
  json.key("text").value(event.text);
  json.end_object();
  return out;
}

}  // namespace partywall::fleet
