#include "cli/serve.h"

#include <cstdio>

#include "base/log.h"
#include "base/version.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"
#include "daemon/node_server.h"
#include "daemon/termination.h"
#include "fleet/loop/operator_token.h"
#include "fleet/process/process_provider.h"
#include "store/control/directory_follower.h"

namespace partywall::cli {

namespace {

int give_up(const Error& error) {
  fmt::print(stderr, "partywall: {}\n", error.message);
  return kExitFailure;
}

// The node, and what keeps its directory up to date: the file, or the control store.
struct Serving {
  std::unique_ptr<store::DirectoryFollower> follower;  // outlives the node
  std::unique_ptr<fleet::ProcessProvider> provider;    // so does this
  std::unique_ptr<daemon::NodeServer> node;
};

Result<daemon::FleetParts> start_provider(const fleet::FleetSettings& fleet, Serving& serving,
                                          const TimeSource& time, Random& random) {
  if (fleet.pools.empty()) return daemon::FleetParts();
  auto token = fleet::open_operator_token(fleet.directory, random);
  if (!token) return std::unexpected(token.error());
  auto started = fleet::ProcessProvider::start({.directory = fleet.directory}, time);
  if (!started) return std::unexpected(started.error());
  serving.provider = *std::move(started);
  return daemon::FleetParts{.provider = serving.provider.get(), .operator_token = *token};
}

Result<> keep_pools(std::vector<fleet::FleetPool> pools, fleet::FleetLoop* loop) {
  if (!pools.empty() && !loop) {
    return fail(
        ErrorKind::kInvalid,
        "`fleet` needs the http door of this node (`listen.http`), which measures the load");
  }
  for (fleet::FleetPool& pool : pools) {
    if (auto kept = loop->keep(std::move(pool)); !kept) return kept;
  }
  return {};
}

Result<> report_usage(const store::ControlStoreOptions& options, daemon::NodeServer& node) {
  auto store = store::to_settings(options);
  if (!store) return std::unexpected(store.error());
  return node.report_usage({.store = *std::move(store),
                            .node_name = options.node_name,
                            .spool = options.usage_spool,
                            .interval = options.usage_interval,
                            .keep = options.usage_keep});
}

Result<Serving> start(store::DirectoryLoader::Loaded loaded, fleet::FleetSettings fleet,
                      const TimeSource& time, Random& random) {
  Serving serving;
  if (loaded.control_store) {
    auto follower = store::follow_control_store(*loaded.control_store, version(), time, random);
    if (!follower) return std::unexpected(follower.error());
    serving.follower = *std::move(follower);
    loaded.directory = serving.follower->first();
  }
  const auto parts = start_provider(fleet, serving, time, random);
  if (!parts) return std::unexpected(parts.error());
  auto node = daemon::NodeServer::start(loaded.node, loaded.directory, time, random,
                                        serving.follower.get(), *parts);
  if (!node) return std::unexpected(node.error());
  serving.node = *std::move(node);
  if (auto kept = keep_pools(std::move(fleet.pools), serving.node->fleet()); !kept) {
    return std::unexpected(kept.error());
  }
  if (serving.follower) {
    serving.follower->follow(serving.node->directory());
    const auto reports = report_usage(*loaded.control_store, *serving.node);
    if (!reports) return std::unexpected(reports.error());
  }
  return serving;
}

void reload(PlatformLoader& platform, Serving& serving) {
  if (serving.follower) return serving.follower->wake();
  // The loader logs what it finds; a file with errors changes nothing.
  if (const auto reloaded = platform.reload(serving.node->directory()); !reloaded)
    log_error("the platform file was not read again", {{"error", reloaded.error().message}});
}

}  // namespace

int serve(const std::string& platform_file) {
  daemon::TerminationSignals signals;
  SystemTime time;
  SystemRandom random;
  PlatformLoader platform(platform_file);
  auto loaded = platform.load();
  if (!loaded) return kExitFailure;
  auto fleet = platform.read_fleet(*loaded);
  if (!fleet) return kExitFailure;
  set_log_level(loaded->node.log_level);
  auto serving = start(*std::move(loaded), *std::move(fleet), time, random);
  if (!serving) return give_up(serving.error());
  while (signals.wait() == daemon::Wakeup::kReload) reload(platform, *serving);
  if (serving->follower) serving->follower->stop();  // it publishes to the node's directory
  serving->node->drain();
  return kExitSuccess;
}

}  // namespace partywall::cli
