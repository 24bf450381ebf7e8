#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/commands.h"

namespace partywall::cli {

void add_output_option(CLI::App& sub, OutputFormat& output) {
  sub.add_option("-o,--output", output, "table, json or yaml")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, OutputFormat>{{"table", OutputFormat::kTable},
                                              {"json", OutputFormat::kJson},
                                              {"yaml", OutputFormat::kYaml}}));
}

void add_remote_options(CLI::App& sub, const SharedOptions& options) {
  add_output_option(sub, options->output);
  sub.add_option("--context", options->profile.context, "Control plane; default: the current one");
  sub.add_option("--config", options->profile.file, "File with the contexts");
  sub.add_option("--reason", options->reason, "Why, for the audit trail");
  sub.add_flag_callback(
      "-y,--yes", [options] { options->consent = Consent::kGiven; }, "Do not ask");
}

std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* level = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto commands = level->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || word.starts_with('-')) return "";
    const auto found = std::ranges::find_if(
        commands, [&](const CLI::App* one) { return one->get_name() == word; });
    if (found != commands.end()) {
      level = *found;
      continue;
    }
    std::vector<std::string> names;
    for (const CLI::App* one : commands) names.push_back(one->get_name());
    const std::vector<std::string_view> views(names.begin(), names.end());
    return fmt::format("there is no command '{}'{}", word, suggestion(word, views));
  }
  return "";
}

}  // namespace partywall::cli
