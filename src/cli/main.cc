#include <CLI/CLI.hpp>
#include <functional>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/cache.h"
#include "cli/cache_stats.h"
#include "cli/cache_transfer.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/doctor.h"
#include "cli/exit_code.h"
#include "cli/serve.h"
#include "cli/simulate.h"
#include "cli/up.h"
#include "cli/version.h"

// The command line of one machine: what each subcommand accepts, and which function does it. Those
// that ask a control plane are in commands_*.cc.
namespace partywall::cli {
namespace {

void add_version(CLI::App& app, Command& command) {
  app.add_subcommand("version", "Print the version")->callback([&command] {
    command = print_version;
  });
}

void add_check(CLI::App& app, Command& command) {
  auto* sub = app.add_subcommand(
      "check", "Say everything that is wrong with a platform file; starts nothing");
  auto file = std::make_shared<std::string>();
  auto format = std::make_shared<CheckFormat>(CheckFormat::kText);
  sub->add_option("FILE", *file, "Platform file")->required();
  sub->add_option("--format", *format, "text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CheckFormat>{
          {"text", CheckFormat::kText}, {"json", CheckFormat::kJson}}));
  sub->callback([&command, file, format] {
    command = [file, format] {
      const CheckReport report = check_platform_file(*file, *format);
      std::fputs(report.text.c_str(), stdout);
      return report.exit_code;
    };
  });
}

void add_doctor(CLI::App& app, Command& command) {
  auto* sub =
      app.add_subcommand("doctor", "Look at a set-up from end to end and say what to do about it");
  auto file = std::make_shared<std::string>(".partywall/platform.yaml");
  auto remote = std::make_shared<RemoteOptions>();
  sub->add_option("-f,--file", *file, "Platform file")->capture_default_str();
  sub->add_option("--context", remote->profile.context, "Control plane; default: the current one");
  sub->add_option("--config", remote->profile.file, "File with the contexts");
  sub->callback(
      [&command, file, remote] { command = [file, remote] { return doctor(*file, *remote); }; });
}

void add_serve(CLI::App& app, Command& command) {
  auto* sub = app.add_subcommand(
      "serve", "Run the doors of one node (SIGTERM ends it, SIGHUP reads the file again)");
  auto file = std::make_shared<std::string>();
  sub->add_option("-f,--file", *file, "Platform file")->required();
  sub->callback([&command, file] { command = [file] { return serve(*file); }; });
}

void add_control(CLI::App& app, Command& command) {
  auto* sub = app.add_subcommand("control", "Run the control plane: the admin API on its store");
  auto file = std::make_shared<std::string>();
  sub->add_option("-f,--file", *file, "Control file")->required();
  sub->callback([&command, file] { command = [file] { return run_control(*file); }; });

  auto* token = app.add_subcommand("bootstrap-token",
                                   "Print a new admin token, made straight in the control store");
  auto request = std::make_shared<AdminTokenRequest>();
  token->add_option("-f,--file", request->control_file, "Control file")->required();
  token->add_option("--name", request->name, "Whose it is")->capture_default_str();
  token->add_option("--role", request->role, "viewer, operator or owner")->capture_default_str();
  token->callback(
      [&command, request] { command = [request] { return create_first_token(*request); }; });
}

void add_port(CLI::App& sub, const std::string& name, std::optional<uint16_t>& port,
              const std::string& usual) {
  sub.add_option(
      "--" + name + "-port", port,
      "Port of the " + name + " door on 127.0.0.1; 0: any. Default: " + usual + " if it is free");
}

void add_up(CLI::App& app, Command& command) {
  auto* sub = app.add_subcommand(
      "up", "Start engines, doors and an example application on this machine, and show a tour");
  struct Options {
    embedded::StackSettings settings;
    bool once = false;
    bool no_tour = false;
  };
  auto options = std::make_shared<Options>();
  sub->add_option("--data-dir", options->settings.data_directory, "Folder for everything it keeps")
      ->capture_default_str();
  sub->add_option("--workers", options->settings.workers,
                  "Threads that serve connections; 0: one per processor")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  add_port(*sub, "http", options->settings.http_port, "8080");
  add_port(*sub, "sql", options->settings.sql_port, "6432");
  add_port(*sub, "cache", options->settings.cache_port, "6380");
  add_port(*sub, "admin", options->settings.admin_port, "9180");
  auto* once =
      sub->add_flag("--once", options->once,
                    "End after the tour; the exit status says whether all was as promised");
  sub->add_flag("--no-tour", options->no_tour, "Show no tour")->excludes(once);
  sub->callback([&command, options] {
    const TourChoice tour = options->once      ? TourChoice::kThenEnd
                            : options->no_tour ? TourChoice::kNone
                                               : TourChoice::kThenStay;
    command = [options, tour] { return up(options->settings, tour); };
  });
}

std::shared_ptr<CacheTransferOptions> add_transfer_options(CLI::App& sub) {
  auto options = std::make_shared<CacheTransferOptions>();
  sub.add_option("-f,--file", options->platform_file, "Platform file")->required();
  sub.add_option("--tenant", options->tenant, "Slug or id")->required();
  sub.add_option("--administrator", options->administrator, "Redis user that may do everything")
      ->required();
  sub.add_option("--password-file", options->password_file, "File with its password")->required();
  return options;
}

void add_pace(CLI::App& sub, CacheTransferOptions& options) {
  sub.add_option("--max-mib-per-second", options.megabytes_per_second,
                 "At most so fast, for the sake of the other tenants; 0: no limit")
      ->check(CLI::Range(0, 1 << 20));
}

void add_cache_export(CLI::App& cache, Command& command) {
  auto* sub = cache.add_subcommand("export", "Write all keys of a tenant to a file");
  const auto options = add_transfer_options(*sub);
  add_pace(*sub, *options);
  auto source = std::make_shared<ForeignSource>();
  sub->add_option("-o,--output", options->file, "New file; \"-\": standard output")
      ->capture_default_str();
  auto* from = sub->add_option("--source", source->address,
                               "ADDRESS:PORT of another Redis that holds the tenant's keys now");
  sub->add_option("--source-user", source->user, "Its user; absent: nobody logs in")->needs(from);
  sub->add_option("--source-password-file", source->password_file, "File with the password")
      ->needs(from);
  sub->add_option("--source-database", source->database, "Its database")->needs(from);
  sub->add_option("--strip-prefix", source->prefix,
                  "Only keys that begin with this, which is taken off")
      ->needs(from);
  sub->callback([&command, options, source] {
    command = [options, source] { return cache_export(*options, *source); };
  });
}

void add_cache_import(CLI::App& cache, Command& command) {
  auto* sub = cache.add_subcommand("import", "Read keys of an export into a tenant's cache");
  const auto options = add_transfer_options(*sub);
  add_pace(*sub, *options);
  auto existing = std::make_shared<ExistingKeys>(ExistingKeys::kRefuse);
  sub->add_option("-i,--input", options->file, "File; \"-\": standard input")
      ->capture_default_str();
  sub->add_flag_callback(
      "--merge", [existing] { *existing = ExistingKeys::kKeep; },
      "The tenant may have keys already; those of the same name are replaced");
  sub->callback([&command, options, existing] {
    command = [options, existing] { return cache_import(*options, *existing); };
  });
}

void add_cache_erase(CLI::App& cache, Command& command) {
  auto* sub = cache.add_subcommand(
      "erase", "Delete all keys and the Redis user of a suspended tenant, and prove it");
  const auto options = add_transfer_options(*sub);
  sub->add_flag("--yes")->description("It cannot be undone")->required();
  sub->callback([&command, options] { command = [options] { return cache_erase(*options); }; });
}

void add_cache_stats(CLI::App& cache, Command& command) {
  auto* sub = cache.add_subcommand(
      "stats", "Show what a tenant has in the cache, its hit rate, and what more room would bring");
  auto options = std::make_shared<CacheStatsOptions>();
  sub->add_option("tenant", options->tenant, "Slug or id of the tenant")->required();
  auto* file = sub->add_option("-f,--file", options->platform_file,
                               "Platform file, which says where the node's admin port is");
  auto* admin =
      sub->add_option("--admin", options->admin, "ADDRESS:PORT of the node's admin port instead");
  file->excludes(admin);
  add_output_option(*sub, options->output);
  sub->callback([&command, options] {
    if (options->platform_file.empty() && options->admin.empty())
      throw CLI::RequiredError("-f,--file or --admin");
    command = [options] { return cache_stats(*options); };
  });
}

void add_cache(CLI::App& app, Command& command) {
  auto* cache =
      app.add_subcommand("cache",
                         "Prepare the Redis of cells; show, move and erase what a tenant has in it")
          ->require_subcommand(1);
  add_cache_export(*cache, command);
  add_cache_import(*cache, command);
  add_cache_erase(*cache, command);
  add_cache_stats(*cache, command);
  auto* provision = cache->add_subcommand(
      "provision", "Make the users of the door and of each tenant; safe to repeat");
  auto options = std::make_shared<CacheProvisionOptions>();
  provision->add_option("-f,--file", options->platform_file, "Platform file")->required();
  provision->add_option("--cell", options->cell, "Only this cell of it");
  provision
      ->add_option("--administrator", options->administrator,
                   "Redis user that may change users; made in a Redis that is still open to all")
      ->required();
  provision->add_option("--password-file", options->password_file, "File with its password")
      ->required();
  provision->callback(
      [&command, options] { command = [options] { return cache_provision(*options); }; });
}

// A duration option, as everywhere: 150s, 5m.
CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& into,
                          const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&into, name](const std::string& text) {
            const auto parsed = parse_duration(text);
            if (!parsed) throw CLI::ValidationError(name, parsed.error().message);
            into = *parsed;
          },
          help)
      ->type_name("DURATION")
      ->default_str(format_duration(into));
}

void add_simulate(CLI::App& app, Command& command) {
  auto* sub = app.add_subcommand(
      "simulate", "Say what scaling policies would do with a recorded load; starts nothing");
  auto options = std::make_shared<SimulateOptions>();
  auto& service = options->settings.service;
  sub->add_option(
         "--trace", options->traces,
         "CSV file with a header and \"YYYY-MM-DD HH:MM:SS,REQUESTS\" lines; repeat it for "
         "the tenants of one pool")
      ->required();
  sub->add_option("--policy", options->policies,
                  "default, offered-load, kubernetes, aws, case-a, or a file; repeatable. Default: "
                  "all by name");
  sub->add_option("--peak-instances", options->peak_instances,
                  "Scale the load so that its peak needs so many instances; 0: as it is")
      ->check(CLI::Range(0.0, 100'000.0))
      ->capture_default_str();
  sub->add_option("--min", options->min, "Fewest instances, of policies by name")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  sub->add_option("--max", options->max, "Most instances, of policies by name")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  sub->add_option("--concurrency", service.concurrency, "Requests an instance works on at once")
      ->check(CLI::Range(1.0, 100'000.0))
      ->capture_default_str();
  add_duration(*sub, "--service-time", service.service_time, "Of a request, on average");
  add_duration(*sub, "--boot", service.boot, "From launching an instance to its first request");
  add_duration(*sub, "--boot-spread", service.boot_spread, "Up to so much longer, at random");
  add_duration(*sub, "--slow-start", service.slow_start, "From the first request to full weight");
  sub->add_option("--price", options->settings.price_per_instance_hour, "Of an instance-hour")
      ->capture_default_str();
  sub->add_option("--seed", options->settings.seed, "Of the random boot times")
      ->capture_default_str();
  sub->add_option("--html", options->html, "Write a report with plots to this file");
  sub->add_option("--csv", options->csv, "Write the figures to this file");
  auto* what_if = sub->add_option_group("What if");
  what_if->add_option("--load-factor", options->what_if.load_factor, "So many times the load")
      ->check(CLI::Range(0.0, 1'000.0));
  what_if
      ->add_option("--spike", options->what_if.spike_factor, "So many times the load for a while")
      ->check(CLI::Range(0.0, 1'000.0));
  add_duration(*what_if, "--spike-at", options->what_if.spike_at, "After the start");
  add_duration(*what_if, "--spike-length", options->what_if.spike_length, "Of the spike");
  auto lost = std::make_shared<fleet::Disruption>();
  what_if->add_option("--lose-zone", lost->share, "Share of the instances that is lost at once")
      ->check(CLI::Range(0.0, 1.0));
  add_duration(*what_if, "--lose-zone-at", lost->after, "After the start");
  sub->callback([&command, options, lost] {
    if (lost->share > 0) options->what_if.disruptions = {*lost};
    command = [options] { return simulate(*options); };
  });
}

int run(int argc, char** argv) {
  CLI::App app{"Partywall keeps the tenants of a shared stack apart: at HTTP, SQL and the cache.",
               "partywall"};
  app.require_subcommand(0, 1);  // by itself CLI11 would not say which word it does not know
  Command command;
  add_up(app, command);
  add_serve(app, command);
  add_control(app, command);
  add_check(app, command);
  add_doctor(app, command);
  add_schema_commands(app, command);
  add_migrate_commands(app, command);
  add_cache(app, command);
  add_simulate(app, command);
  add_tenant_commands(app, command);
  add_resource_commands(app, command);
  add_token_commands(app, command);
  add_watch_commands(app, command);
  add_usage_command(app, command);
  add_webhook_commands(app, command);
  add_context_commands(app, command);
  add_store_commands(app, command);
  add_completion_commands(app, command);
  add_fleet_commands(app, command);
  add_version(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
      fmt::print(stderr, "partywall: {}\n", unknown);
      return kExitUsage;
    }
    return app.exit(error) == 0 ? kExitSuccess : kExitUsage;
  }
  if (!command) {
    fmt::print(stderr, "{}", app.help());
    return kExitUsage;
  }
  return command();
}

}  // namespace
}  // namespace partywall::cli

int main(int argc, char** argv) { return partywall::cli::run(argc, argv); }
