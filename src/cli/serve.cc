#include "cli/serve.h"

#include <cstdio>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"
#include "daemon/node_server.h"
#include "daemon/termination.h"

namespace partywall::cli {

int serve(const std::string& platform_file) {
  daemon::TerminationSignals signals;
  SystemTime time;
  SystemRandom random;
  PlatformLoader platform(platform_file);
  auto loaded = platform.load();
  if (!loaded) return kExitFailure;
  set_log_level(loaded->node.log_level);
  auto node = daemon::NodeServer::start(loaded->node, loaded->directory, time, random);
  if (!node) {
    fmt::print(stderr, "partywall: {}\n", node.error().message);
    return kExitFailure;
  }
  while (signals.wait() == daemon::Wakeup::kReload) {
    // The loader logs what it finds; a file with errors changes nothing.
    if (const auto reloaded = platform.reload((*node)->directory()); !reloaded) {
      log_error("the platform file was not read again", {{"error", reloaded.error().message}});
    }
  }
  (*node)->drain();
  return kExitSuccess;
}

}  // namespace partywall::cli
