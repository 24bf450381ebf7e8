#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/load/load_book.h"
#include "cache/load/server_watch.h"
#include "cache/session_host.h"
#include "cache/upstream_registry.h"

namespace partywall::cache {

// Watches each Redis to which tenants of this node have sent something. One for the whole door, on
// one of its workers: what is found out counts for all. Every node reads the same slow logs, so
// what a tenant costs is known to all nodes alike.
class ServerWatches final : private ServerWatchSink {
 public:
  struct Door {
    UpstreamNetwork& network;
    UpstreamRegistry& registry;  // of the same worker
    const TimeSource& time;
    ScriptFlights& flights;
    LoadBook& loads;
    Meters<CacheMeter>& meters;  // of the same worker
  };
  // `door`: what it consists of outlives it.
  explicit ServerWatches(const Door& door) : door_(door) {}

  void set_directory(DirectoryRef directory);
  // How long until it is to be called again.
  Duration tick();
  void stop() { watches_.clear(); }

  // From any thread: how many servers a script keeps busy now.
  [[nodiscard]] uint64_t busy_servers() const { return busy_.load(std::memory_order_relaxed); }

 private:
  void add_route_of(TenantId tenant);
  void follow_routes();

  // --- ServerWatchSink
  void time_used(const TimeUse& use) override;
  void script_ended(TenantId tenant) override;
  void script_goes_on(TenantId tenant) override;
  [[nodiscard]] Duration longest_script(const CacheRoute& route) override;
  void count(TenantId tenant, CacheMeter meter, uint64_t amount);

  Door door_;
  DirectoryRef directory_;
  std::map<const CacheRoute*, Duration> longest_scripts_;  // of that directory, once it was asked
  std::vector<std::shared_ptr<CacheRoute>> routes_;
  std::vector<std::unique_ptr<ServerWatch>> watches_;
  std::atomic<uint64_t> busy_{0};
};

}  // namespace partywall::cache
