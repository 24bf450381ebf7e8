#include "cli/serve.h"

#include <cstdio>

#include "base/log.h"
#include "base/version.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"
#include "daemon/node_server.h"
#include "daemon/termination.h"
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
  std::unique_ptr<daemon::NodeServer> node;
};

Result<Serving> start(store::DirectoryLoader::Loaded loaded, const TimeSource& time,
                      Random& random) {
  Serving serving;
  if (loaded.control_store) {
    auto follower = store::follow_control_store(*loaded.control_store, version(), time, random);
    if (!follower) return std::unexpected(follower.error());
    serving.follower = *std::move(follower);
    loaded.directory = serving.follower->first();
  }
  auto node = daemon::NodeServer::start(loaded.node, loaded.directory, time, random,
                                        serving.follower.get());
  if (!node) return std::unexpected(node.error());
  serving.node = *std::move(node);
  if (serving.follower) serving.follower->follow(serving.node->directory());
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
  set_log_level(loaded->node.log_level);
  auto serving = start(*std::move(loaded), time, random);
  if (!serving) return give_up(serving.error());
  while (signals.wait() == daemon::Wakeup::kReload) reload(platform, *serving);
  if (serving->follower) serving->follower->stop();  // it publishes to the node's directory
  serving->node->drain();
  return kExitSuccess;
}

}  // namespace partywall::cli
