#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/schema.h"
#include "cli/schema_convert.h"
#include "cli/schema_lint.h"

namespace partywall::cli {
namespace {

void add_schema_lint(CLI::App& schema, Command& command) {
  auto* lint = schema.add_subcommand(
      "lint", "Say what in a schema lets tenants see each other; changes nothing");
  auto options = std::make_shared<SchemaLintOptions>();
  lint->add_option("database", options->database, "Its name, or a libpq connection string or URI")
      ->required();
  lint->add_option("-f,--file", options->platform_file,
                   "Platform file: where the database of the cell is");
  lint->add_option("--cell", options->cell,
                   "Cell of the platform file; needless if it has only one");
  lint->add_option("--tenant-column", options->settings.tenant_column,
                   "Column with the tenant's UUID")
      ->capture_default_str();
  lint->add_option("--ignore", options->settings.ignored,
                   "RULE or RULE:OBJECT that is known and accepted; repeatable")
      ->take_all();
  lint->add_option("--format", options->format, "text, json or sarif")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, LintFormat>{{"text", LintFormat::kText},
                                            {"json", LintFormat::kJson},
                                            {"sarif", LintFormat::kSarif}}));
  auto fail_on = std::make_shared<std::string>("error");
  lint->add_option("--fail-on", *fail_on,
                   "Exit status 1 from this level on: error, warning, info or never")
      ->check(CLI::IsMember({"error", "warning", "info", "never"}))
      ->capture_default_str();
  lint->callback([&command, options, fail_on] {
    options->fail_on.reset();
    for (const auto level :
         {sql::FindingLevel::kInfo, sql::FindingLevel::kWarning, sql::FindingLevel::kError}) {
      if (to_string(level) == *fail_on) options->fail_on = level;
    }
    command = [options] { return schema_lint(*options); };
  });
}

// What both commands take that protect a database.
void add_protection(CLI::App& sub, const std::shared_ptr<SchemaProtectOptions>& options) {
  sub.add_option("-f,--file", options->platform_file,
                 "Platform file: keys and slot roles of the cell");
  sub.add_option("--cell", options->cell, "Cell of the platform file; needless if it has only one");
  sub.add_option("--previous-key", options->previous_key,
                 "ID=FILE: register key that stays valid while nodes still sign with it");
  sub.add_option("--connect-role", options->connect_roles,
                 "Role that may still connect directly; repeatable");
  sub.add_option("--lock-timeout", options->lock_timeout_seconds,
                 "Seconds to wait for a table that is in use")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  sub.add_option("--temp-file-limit", options->temp_file_limit_mib,
                 "MiB of temporary files for each slot role; 0: what the server says")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  sub.add_flag_callback(
      "--dry-run", [options] { options->mode = SchemaMode::kDryRun; },
      "Print the SQL, change nothing");
}

void add_schema_protect(CLI::App& schema, Command& command) {
  auto* protect = schema.add_subcommand(
      "protect", "Install the tenant register, slot roles and row-level security; safe to repeat");
  auto options = std::make_shared<SchemaProtectOptions>();
  protect
      ->add_option("database", options->database, "Its name, or a libpq connection string or URI")
      ->required();
  add_protection(*protect, options);
  protect->add_option("--tenant-column", options->tenant_column, "Column with the tenant's UUID")
      ->capture_default_str();
  protect->callback(
      [&command, options] { command = [options] { return schema_protect(*options); }; });
}

void add_plan_format(CLI::App& sub, PlanFormat& format) {
  sub.add_option("--format", format, "text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, PlanFormat>{
          {"text", PlanFormat::kText}, {"json", PlanFormat::kJson}}));
}

void add_schema_convert(CLI::App& schema, Command& command) {
  auto* convert = schema.add_subcommand(
      "convert", "Make the schema of a database of one tenant in one that many share");
  auto options = std::make_shared<SchemaConvertOptions>();
  // Shares its owner with what holds it.
  const std::shared_ptr<SchemaProtectOptions> to(options, &options->to);
  convert
      ->add_option("source", options->source,
                   "The tenant's database: its name, or a libpq connection string or URI")
      ->required();
  convert->add_option("--to", to->database, "The shared database, which may be empty")->required();
  convert->add_option("--rules", options->rules_file, "File with the exceptions");
  add_protection(*convert, to);
  add_plan_format(*convert, options->format);
  convert->callback(
      [&command, options] { command = [options] { return schema_convert(*options); }; });
}

void add_schema_fingerprint(CLI::App& schema, Command& command) {
  auto* sub = schema.add_subcommand(
      "fingerprint", "Group databases by their schema, and say how others differ from the first");
  auto options = std::make_shared<SchemaFingerprintOptions>();
  sub->add_option("databases", options->databases,
                  "Names, libpq connection strings or URIs; the first is the reference")
      ->required();
  add_plan_format(*sub, options->format);
  sub->callback(
      [&command, options] { command = [options] { return schema_fingerprint(*options); }; });
}

}  // namespace

void add_schema_commands(CLI::App& app, Command& command) {
  auto* schema = app.add_subcommand("schema", "Prepare, convert and check the databases of cells")
                     ->require_subcommand(1);
  add_schema_lint(*schema, command);
  add_schema_protect(*schema, command);
  add_schema_convert(*schema, command);
  add_schema_fingerprint(*schema, command);
}

}  // namespace partywall::cli
