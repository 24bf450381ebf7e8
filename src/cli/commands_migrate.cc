#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/migrate.h"
#include "cli/migrate_stream.h"

namespace partywall::cli {
namespace {

void add_target(CLI::App& sub, MigrateTarget& to) {
  sub.add_option("--to", to.database,
                 "The shared database: its name, or a libpq connection string or URI")
      ->required();
  sub.add_option("--tenant", to.tenant, "UUID, or with a platform file the slug")->required();
  sub.add_option("-f,--file", to.platform_file,
                 "Platform file: the tenants, and where the databases of their cells are");
  sub.add_option("-o,--output", to.format, "text, or json: one object a line")
      ->transform(CLI::CheckedTransformer(std::map<std::string, MigrateFormat>{
          {"text", MigrateFormat::kText}, {"json", MigrateFormat::kJson}}));
}

using Options = std::shared_ptr<MigrateOptions>;
using StreamOptions = std::shared_ptr<MigrateStreamOptions>;

template <class Kind>
std::shared_ptr<Kind> add_source(CLI::App& sub) {
  auto options = std::make_shared<Kind>();
  sub.add_option("source", options->source,
                 "The tenant's own database: its name, or a libpq connection string or URI")
      ->required();
  add_target(sub, options->to);
  sub.add_option("--rules", options->rules_file,
                 "File with the exceptions, as for partywall schema convert");
  return options;
}

void add_workers(CLI::App& sub, const Options& options) {
  sub.add_option("--workers", options->workers, "Connections to either database")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
}

void add_of_a_source(CLI::App& migrate, Command& command) {
  const auto add_online = [](CLI::App& sub, const Options& options) {
    return sub.add_flag_callback(
        "--online", [options] { options->use = std::max(options->use, MigrateUse::kOnline); },
        "The application goes on meanwhile: its changes are followed");
  };
  auto* preflight = migrate.add_subcommand(
      "preflight", "Say what stands in the way of a migration and what to do; changes nothing");
  auto looked_at = add_source<MigrateOptions>(*preflight);
  add_online(*preflight, looked_at);
  preflight->callback(
      [&command, looked_at] { command = [looked_at] { return migrate_preflight(*looked_at); }; });

  auto* run = migrate.add_subcommand(
      "run", "Copy a tenant's rows and compare them; continues what was interrupted");
  auto moved = add_source<MigrateOptions>(*run);
  add_workers(*run, moved);
  run->add_option("--rate", moved->megabytes_per_second,
                  "Most MiB a second of all workers together; 0: as fast as it goes")
      ->capture_default_str();
  run->add_option("--chunk-blocks", moved->blocks_per_chunk,
                  "Blocks of 8 KiB that are one transaction: what is done again after an "
                  "interruption")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 20))
      ->capture_default_str();
  auto* online = add_online(*run, moved);
  run->add_flag_callback(
         "--until-verified", [moved] { moved->use = MigrateUse::kOnlineUntilVerified; },
         "With --online: end once both databases were equal, instead of following until SIGINT")
      ->needs(online);
  run->callback([&command, moved] { command = [moved] { return migrate_run(*moved); }; });

  auto* verify = migrate.add_subcommand(
      "verify", "Compare a tenant's rows in both databases; changes nothing");
  auto compared = add_source<MigrateOptions>(*verify);
  add_workers(*verify, compared);
  verify->callback(
      [&command, compared] { command = [compared] { return migrate_verify(*compared); }; });
}

void add_of_a_target(CLI::App& migrate, Command& command) {
  auto* status = migrate.add_subcommand("status", "Say how far the migration of a tenant has come");
  auto shown = std::make_shared<MigrateTarget>();
  add_target(*status, *shown);
  status->callback([&command, shown] { command = [shown] { return migrate_status(*shown); }; });

  auto* discard = migrate.add_subcommand(
      "discard", "Delete what was copied of a tenant and forget the migration");
  auto discarded = std::make_shared<MigrateTarget>();
  add_target(*discard, *discarded);
  auto scope = std::make_shared<DiscardScope>(DiscardScope::kUnverified);
  discard->add_flag_callback(
      "--verified-too", [scope] { *scope = DiscardScope::kVerifiedToo; },
      "Even if it is verified: the tenant may be served from these rows");
  discard->callback([&command, discarded, scope] {
    command = [discarded, scope] { return migrate_discard(*discarded, *scope); };
  });
}

void add_of_a_stream(CLI::App& migrate, Command& command) {
  const auto add = [&](const std::string& name, const std::string& help,
                       int (*act)(const MigrateStreamOptions&)) {
    auto* sub = migrate.add_subcommand(name, help);
    const StreamOptions options = add_source<MigrateStreamOptions>(*sub);
    sub->callback([&command, options, act] { command = [options, act] { return act(*options); }; });
    return std::pair(sub, options);
  };
  const auto [follow, followed] =
      add("follow", "Apply the changes of a database in another as they happen", migrate_follow);
  follow->add_option("--until-lsn", followed->until_lsn,
                     "End when everything that was committed before this place of the source's log "
                     "is there, and nothing after it");
  add("slot", "Begin a stream, and keep its snapshot for a copy of the rows until SIGINT",
      migrate_slot);
  add("forget", "End a stream for good: drop its slot, publication and progress", migrate_forget);
}

}  // namespace

void add_migrate_commands(CLI::App& app, Command& command) {
  auto* migrate =
      app.add_subcommand("migrate", "Move a tenant from a database of its own to the shared one")
          ->require_subcommand(1);
  add_of_a_source(*migrate, command);
  add_of_a_target(*migrate, command);
  add_of_a_stream(*migrate, command);
}

}  // namespace partywall::cli
