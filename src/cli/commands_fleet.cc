#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/fleet.h"

// The command line of `partywall fleet`.
namespace partywall::cli {
namespace {

CLI::App& add(CLI::App& fleet, const std::string& name, const std::string& help,
              const std::shared_ptr<FleetOptions>& options) {
  auto* sub = fleet.add_subcommand(name, help);
  sub->add_option("pool", options->pool, "CELL/POOL, or POOL; needless if the node keeps one only");
  sub->add_option("-f,--file", options->platform_file, "Platform file of the node")
      ->capture_default_str();
  sub->add_option("--admin", options->admin,
                  "ADDRESS:PORT of the node's admin port, if the file does not say it");
  return *sub;
}

}  // namespace

void add_fleet_commands(CLI::App& app, Command& command) {
  auto* fleet = app.add_subcommand("fleet", "See and steer the pools whose instances a node keeps")
                    ->require_subcommand(1);
  auto options = std::make_shared<FleetOptions>();
  const auto run = [&command, options](CLI::App& sub, int (*act)(const FleetOptions&)) {
    sub.callback([&command, options, act] { command = [options, act] { return act(*options); }; });
  };
  CLI::App& status = add(*fleet, "status", "Show the pools and their instances", options);
  add_output_option(status, options->output);
  run(status, fleet_status);
  run(add(*fleet, "explain", "Say why the pool has as many instances as it has", options),
      fleet_explain);
  CLI::App& history = add(*fleet, "history", "Say what was done, the youngest first", options);
  add_output_option(history, options->output);
  run(history, fleet_history);
  run(add(*fleet, "pause", "Take no more decisions on the number of instances", options),
      fleet_pause);
  run(add(*fleet, "resume", "Take them again", options), fleet_resume);

  auto count = std::make_shared<uint32_t>();
  CLI::App& scale = add(*fleet, "scale", "Have so many instances now", options);
  scale.add_option("--count", *count, "How many, within the bounds of the pool")->required();
  scale.callback([&command, options, count] {
    command = [options, count] { return fleet_scale(*options, *count); };
  });
}

}  // namespace partywall::cli
