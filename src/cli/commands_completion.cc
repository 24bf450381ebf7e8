#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/exit_code.h"

// `partywall completion SHELL`, and what its scripts ask.
namespace partywall::cli {
namespace {

// What may follow the words: commands of the level that they lead to, else its options.
std::vector<std::string> candidates_after(const CLI::App& app,
                                          const std::vector<std::string>& words) {
  const auto all = [](const CLI::App*) { return true; };
  const CLI::App* level = &app;
  for (const std::string& word : words) {
    for (const CLI::App* one : level->get_subcommands(all)) {
      if (one->get_name() == word) {
        level = one;
        break;
      }
    }
  }
  std::vector<std::string> candidates;
  for (const CLI::App* one : level->get_subcommands(all)) {
    if (!one->get_name().starts_with("__")) candidates.push_back(one->get_name());
  }
  if (!candidates.empty()) return candidates;
  for (const CLI::Option* option : level->get_options()) {
    for (const std::string& name : option->get_lnames()) candidates.push_back("--" + name);
  }
  return candidates;
}

}  // namespace

void add_completion_commands(CLI::App& app, Command& command) {
  auto shell = std::make_shared<std::string>();
  auto* script = app.add_subcommand("completion", "Print a script that completes our words");
  script->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  script->callback([&command, shell] {
    command = [shell] {
      const auto text = completion_script(*shell);
      if (!text) return print_and_exit({.exit_code = kExitUsage, .message = text.error().message});
      std::fputs(text->c_str(), stdout);
      return kExitSuccess;
    };
  });
  auto* complete = app.add_subcommand("__complete", "")->group("")->prefix_command();
  complete->callback([&command, &app, complete] {
    command = [&app, words = complete->remaining()] {
      for (const std::string& candidate : candidates_after(app, words))
        fmt::print("{}\n", candidate);
      return kExitSuccess;
    };
  });
}

}  // namespace partywall::cli
