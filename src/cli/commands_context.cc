#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/context_store.h"

// `partywall context …`
namespace partywall::cli {

void add_context_commands(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("context", "The control planes that this command line knows")
                    ->require_subcommand(1);
  auto shared = std::make_shared<RemoteOptions>();
  auto context = std::make_shared<NewContext>();
  const auto add_sub = [&](const char* name, const char* help) {
    auto* sub = group->add_subcommand(name, help);
    sub->add_option("--config", shared->profile.file, "File with the contexts");
    return sub;
  };
  auto* list = add_sub("list", "List them");
  add_output_option(*list, shared->output);
  list->callback([&command, shared] {
    command = [shared] { return list_contexts(shared->profile, shared->output); };
  });
  auto* add = add_sub("add", "Add one, or replace it");
  add->add_option("NAME", context->name, "Its name")->required();
  add->add_option("--url", context->url, "http://127.0.0.1:9190")->required();
  add->add_option("--token-file", context->token_file,
                  "File with the admin token; -: standard input")
      ->required();
  add->callback([&command, shared, context] {
    command = [shared, context] { return add_context(shared->profile, *context); };
  });
  auto* use = add_sub("use", "Make it the current one");
  use->add_option("NAME", context->name, "Its name")->required();
  use->callback([&command, shared, context] {
    command = [shared, context] { return use_context(shared->profile, context->name); };
  });
  auto* remove = add_sub("remove", "Forget it and its token");
  remove->add_option("NAME", context->name, "Its name")->required();
  remove->callback([&command, shared, context] {
    command = [shared, context] { return remove_context(shared->profile, context->name); };
  });
}

}  // namespace partywall::cli
