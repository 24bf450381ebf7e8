#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/usage.h"

namespace partywall::cli {

void add_usage_command(CLI::App& app, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto request = std::make_shared<UsageRequest>();
  auto* sub = app.add_subcommand("usage", "What a tenant used, by hour or day");
  sub->add_option("TENANT", request->tenant, "Slug or id")->required();
  sub->add_option("--from", request->from, "2026-11-01T00:00:00Z; default: a day before --to");
  sub->add_option("--to", request->to, "Until this time; default: now");
  sub->add_option("--by", request->by, "hour or day; default: hour")
      ->check(CLI::IsMember({"hour", "day"}));
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, request] {
    command = [shared, request] { return show_usage(*shared, *request); };
  });
}

}  // namespace partywall::cli
