#include <CLI/CLI.hpp>

#include "cli/commands.h"

// `partywall events`, `partywall operation …`
namespace partywall::cli {
namespace {

struct WatchOptions {
  std::string tenant, type, after, id, status;
  bool follow = false;
};

void add_events(CLI::App& app, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<WatchOptions>();
  auto* sub = app.add_subcommand("events", "What happened, the oldest first");
  sub->add_flag("-f,--follow", options->follow, "Go on with what happens from now on");
  sub->add_option("--tenant", options->tenant, "Of this tenant");
  sub->add_option("--type", options->type, "tenant.suspended, or tenant for all of its kind");
  sub->add_option("--after", options->after, "After the event with this number");
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      QueryTexts query{
          {"tenant", options->tenant}, {"type", options->type}, {"after", options->after}};
      if (options->follow) query.emplace_back("follow", "");
      return follow_events(*shared, query);
    };
  });
}

void add_operation(CLI::App& app, Command& command) {
  auto* group =
      app.add_subcommand("operation", "Work that takes more than one step")->require_subcommand(1);
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<WatchOptions>();
  auto* list = group->add_subcommand("list", "The newest first");
  list->add_option("--tenant", options->tenant, "Of this tenant");
  list->add_option("--status", options->status, "running, done, failed or cancelled");
  add_remote_options(*list, shared);
  list->callback([&command, shared, options] {
    command = [shared, options] {
      return list_things(*shared, "operation",
                         {{"tenant", options->tenant}, {"status", options->status}});
    };
  });
  for (const auto& [name, help] : {std::pair("show", "Show one with its progress"),
                                   std::pair("watch", "Show its progress until it ends"),
                                   std::pair("cancel", "Do not begin its next step")}) {
    auto* sub = group->add_subcommand(name, help);
    sub->add_option("ID", options->id, "From `operation list`")->required();
    add_remote_options(*sub, shared);
    sub->callback([&command, shared, options, word = std::string(name)] {
      command = [shared, options, word] {
        if (word == "show") return show_thing(*shared, "operation", options->id);
        if (word == "watch") return watch_operation(*shared, options->id);
        return run_action(
            *shared, {.path = fmt::format("/v1/operations/{}/cancel", encode_segment(options->id)),
                      .done = fmt::format("operation {} cancelled", options->id)});
      };
    });
  }
}

}  // namespace

void add_watch_commands(CLI::App& app, Command& command) {
  add_events(app, command);
  add_operation(app, command);
}

}  // namespace partywall::cli
