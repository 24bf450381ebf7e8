#include "cli/up.h"

#include <cstdio>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"
#include "daemon/node_server.h"
#include "daemon/termination.h"

namespace partywall::cli {
namespace {

void say(std::string_view text) {
  fmt::print("partywall: {}\n", text);
  std::fflush(stdout);
}

int give_up(const Error& error) {
  fmt::print(stderr, "partywall: {}\n", error.message);
  return kExitFailure;
}

Result<std::unique_ptr<daemon::NodeServer>> start_node(embedded::Stack& stack,
                                                       PlatformLoader& platform,
                                                       const TimeSource& time, Random& random) {
  const auto loaded = platform.load();
  if (!loaded)
    return fail(ErrorKind::kInternal,
                "the platform file that was just written is wrong: please report this");
  if (auto prepared = stack.prepare_cell(*loaded->directory); !prepared)
    return std::unexpected(prepared.error());
  say("opening the doors");
  return daemon::NodeServer::start(
      loaded->node, loaded->directory, time, random, nullptr,
      {.provider = &stack.provider(), .operator_token = stack.operator_token()});
}

// Shows and waits, as chosen. Returns the exit code.
int run_until_told(embedded::Stack& stack, TourChoice tour, daemon::TerminationSignals& signals) {
  bool as_promised = true;
  if (tour != TourChoice::kNone) {
    as_promised = stack.tour([&signals] { return signals.terminate_requested(); }, stdout);
  }
  if (tour == TourChoice::kThenEnd) return as_promised ? kExitSuccess : kExitFailure;
  if (!signals.terminate_requested()) say("running; Ctrl-C stops it");
  while (signals.wait() == daemon::Wakeup::kReload)
    say("SIGHUP: `up` writes its platform file itself, there is nothing to read again");
  return kExitSuccess;
}

}  // namespace

int up(const embedded::StackSettings& settings, TourChoice tour) {
  daemon::TerminationSignals signals;
  SystemTime time;
  SystemRandom random;
  set_log_level(LogLevel::kWarning);  // what people want to see is on standard output
  auto stack = embedded::Stack::start(settings, time, random, say);
  if (!stack) return give_up(stack.error());
  PlatformLoader platform((*stack)->platform_file());
  auto node = start_node(**stack, platform, time, random);
  if (!node) return give_up(node.error());
  const auto doors = (*node)->endpoints();
  const auto opened = (*stack)->open_shop(
      {.http = doors.http, .sql = doors.sql, .cache = doors.cache, .admin = doors.admin},
      *(*node)->fleet());
  int exit_code = kExitFailure;
  if (opened) {
    fmt::print("{}", (*stack)->describe());
    std::fflush(stdout);
    exit_code = run_until_told(**stack, tour, signals);
  } else {
    give_up(opened.error());
  }
  say("stopping");
  // In this order: the application still answers what the http door has begun, and the directory of
  // the node is written to until the application has stopped.
  (*node)->drain();
  (*stack)->stop();
  return exit_code;
}

}  // namespace partywall::cli
