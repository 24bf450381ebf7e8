#include "cache/door_metrics.h"

#include "cache/door_worker.h"

namespace partywall::cache {
namespace {

struct TenantFamily {
  CacheMeter meter;
  MetricFamily family;
};

constexpr TenantFamily kTenantFamilies[] = {
    {CacheMeter::kCommands,
     {"partywall_cache_commands", MetricType::kCounter,
      "Commands of the tenant, refused ones too"}},
    {CacheMeter::kRefused,
     {"partywall_cache_refused", MetricType::kCounter,
      "Commands that are not allowed or not understood"}},
    {CacheMeter::kThrottled,
     {"partywall_cache_throttled", MetricType::kCounter, "Commands over cache_rate"}},
    {CacheMeter::kOverQuota,
     {"partywall_cache_over_quota", MetricType::kCounter,
      "Commands refused because the tenant's keys or bytes are at its quota"}},
    {CacheMeter::kNothingToEvict,
     {"partywall_cache_nothing_to_evict", MetricType::kCounter,
      "Of the commands over the quota those for keys that evict others, where none was left that "
      "may be evicted"}},
    {CacheMeter::kEvicted,
     {"partywall_cache_evicted", MetricType::kCounter,
      "Keys of the tenant that made room for others"}},
    {CacheMeter::kHits,
     {"partywall_cache_hits", MetricType::kCounter,
      "Keys that the tenant looked for (GET, GETEX, GETDEL, MGET, HGET) and found"}},
    {CacheMeter::kMisses,
     {"partywall_cache_misses", MetricType::kCounter,
      "Keys that the tenant looked for and did not find"}},
    {CacheMeter::kOverTime,
     {"partywall_cache_over_time", MetricType::kCounter,
      "Commands refused because the tenant's have taken more of Redis's time than "
      "cache.redis_time"}},
    {CacheMeter::kQueued,
     {"partywall_cache_queued", MetricType::kCounter,
      "Commands that waited for their turn, because others that may take long were under way"}},
    {CacheMeter::kSentAgain,
     {"partywall_cache_sent_again", MetricType::kCounter,
      "Commands sent again that Redis had refused because a script kept it busy"}},
    {CacheMeter::kScriptsEnded,
     {"partywall_cache_scripts_ended", MetricType::kCounter,
      "Scripts of the tenant that were ended because they ran longer than cache.script_time"}},
    {CacheMeter::kScriptsGoOn,
     {"partywall_cache_scripts_not_ended", MetricType::kCounter,
      "Scripts of the tenant that ran too long and could not be ended, because they had written"}},
    {CacheMeter::kRedisMicroseconds,
     {"partywall_cache_redis_microseconds", MetricType::kCounter,
      "Redis's time in the tenant's commands of 100 us and more, through all nodes; every node "
      "tells the same"}},
    {CacheMeter::kFailed,
     {"partywall_cache_failed", MetricType::kCounter, "Commands that Redis did not answer"}},
    {CacheMeter::kBytesIn,
     {"partywall_cache_received_bytes", MetricType::kCounter, "Bytes from the tenant's clients"}},
    {CacheMeter::kBytesOut,
     {"partywall_cache_sent_bytes", MetricType::kCounter, "Bytes to the tenant's clients"}},
};

}  // namespace

void write_door_metrics(MetricWriter& writer, const std::vector<const DoorWorker*>& workers,
                        const Directory& directory) {
  const auto sum = [&](auto value) {
    uint64_t total = 0;
    for (const DoorWorker* worker : workers) total += value(*worker);
    return total;
  };
  writer.family(
      {"partywall_cache_connections", MetricType::kGauge, "Clients connected to the cache door"});
  writer.sample(sum([](const DoorWorker& worker) { return worker.connections(); }));
  writer.family({"partywall_cache_upstream_connections", MetricType::kGauge,
                 "Connections of the cache door to Redis"});
  writer.sample(sum([](const DoorWorker& worker) { return worker.upstream_connections(); }));
  writer.family({"partywall_cache_refused_connections", MetricType::kCounter,
                 "Clients beyond max_connections"});
  writer.sample(sum([](const DoorWorker& worker) { return worker.refused_connections(); }));
  writer.family({"partywall_cache_takeovers", MetricType::kCounter,
                 "Changes of the servers that a route leads to, seen by each worker"});
  writer.sample(sum([](const DoorWorker& worker) { return worker.takeovers(); }));
  writer.family({"partywall_cache_busy_servers", MetricType::kGauge,
                 "Redis servers that a script keeps busy now"});
  writer.sample(sum([](const DoorWorker& worker) { return worker.busy_servers(); }));
  for (const auto& [meter, family] : kTenantFamilies) {
    writer.family(family);
    for (const Tenant& tenant : directory.tenants()) {
      const uint64_t value = sum(
          [&](const DoorWorker& worker) { return worker.meters().value(tenant.number, meter); });
      if (value > 0) writer.sample(value, {{"tenant", tenant.slug}});
    }
  }
}

}  // namespace partywall::cache
