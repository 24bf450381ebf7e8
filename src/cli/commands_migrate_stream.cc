#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/migrate_stream.h"

// The command line of `partywall migrate follow`, `slot` and `forget`.
namespace partywall::cli {
namespace {

CLI::App& add(CLI::App& migrate, const std::string& name, const std::string& help,
              const std::shared_ptr<MigrateStreamOptions>& options) {
  auto* sub = migrate.add_subcommand(name, help);
  sub->add_option("source", options->source,
                  "Where the tenant's rows come from: a name, libpq connection string or URI")
      ->required();
  sub->add_option("--to", options->target, "Where they go")->required();
  sub->add_option("--tenant", options->tenant, "Slug, or UUID")->required();
  sub->add_option("-f,--file", options->platform_file,
                  "Platform file: the tenant's UUID, and where the target is");
  sub->add_option("--cell", options->cell, "Cell of the platform file; needless if it has only one");
  sub->add_option("--rules", options->rules_file, "The file that the schema was converted with");
  sub->add_option("-o,--output", options->output, "text, or json: an object a line")
      ->transform(CLI::CheckedTransformer(std::map<std::string, StreamOutput>{
          {"text", StreamOutput::kText}, {"json", StreamOutput::kJson}}));
  return *sub;
}

// The group that other commands of a migration are in, too.
CLI::App& migrate_group(CLI::App& app) {
  const auto found =
      app.get_subcommands([](const CLI::App* sub) { return sub->get_name() == "migrate"; });
  if (!found.empty()) return *found.front();
  return *app.add_subcommand("migrate", "Move tenants from one database to another")
              ->require_subcommand(1);
}

}  // namespace

void add_migrate_stream_commands(CLI::App& app, Command& command) {
  CLI::App& migrate = migrate_group(app);
  const auto options = std::make_shared<MigrateStreamOptions>();
  const auto run = [&command, options](CLI::App& sub,
                                       int (*act)(const MigrateStreamOptions&)) {
    sub.callback([&command, options, act] { command = [options, act] { return act(*options); }; });
  };
  CLI::App& follow = add(migrate, "follow", "Apply the changes of a database in another as they happen",
                         options);
  follow.add_option("--until-lsn", options->until_lsn,
                    "End when everything that was committed before this place of the source's log "
                    "is there, and nothing after it");
  run(follow, migrate_follow);
  run(add(migrate, "slot",
          "Begin a stream, and keep its snapshot for a copy of the rows until SIGINT", options),
      migrate_slot);
  run(add(migrate, "forget", "End a stream for good: drop its slot, publication and progress",
          options),
      migrate_forget);
}

}  // namespace partywall::cli
