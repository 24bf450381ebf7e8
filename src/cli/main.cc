#include <CLI/CLI.hpp>

#include "cli/check.h"
#include "cli/exit_code.h"
#include "cli/schema.h"
#include "cli/version.h"

// The command line: what each subcommand accepts, and which function does it. One file, because
// CLI11 is slow to compile.
namespace partywall::cli {
namespace {

void add_schema_commands(CLI::App& app, int& exit_code) {
  CLI::App* const schema = app.add_subcommand("schema", "Prepare the databases of cells");
  schema->require_subcommand(1);
  CLI::App* const protect = schema->add_subcommand(
      "protect", "Install the tenant register, slot roles and row-level security; safe to repeat");
  const auto options = std::make_shared<SchemaProtectOptions>();
  protect
      ->add_option("database", options->database, "Its name, or a libpq connection string or URI")
      ->required();
  protect->add_option("-f,--file", options->platform_file,
                      "Platform file: keys and slot roles of the cell");
  protect->add_option("--cell", options->cell,
                      "Cell of the platform file; needless if it has only one");
  protect->add_option("--connect-role", options->connect_roles,
                      "Role that may still connect directly; repeatable");
  protect->add_option("--tenant-column", options->tenant_column, "Column with the tenant's UUID")
      ->capture_default_str();
  protect->add_flag_callback(
      "--dry-run", [options] { options->mode = SchemaMode::kDryRun; },
      "Print the SQL, change nothing");
  protect->callback([options, &exit_code] { exit_code = schema_protect(*options); });
}

int run(int argc, char** argv) {
  CLI::App app{"Partywall keeps the tenants of a shared stack apart: at HTTP, SQL and the cache."};
  app.require_subcommand(1);
  int exit_code = kExitSuccess;

  app.add_subcommand("version", "Print the version")->callback([&] {
    exit_code = print_version();
  });

  std::string check_file;
  auto check_format = CheckFormat::kText;
  CLI::App* check =
      app.add_subcommand("check", "Check a platform file and print all that is wrong with it");
  check->add_option("FILE", check_file, "The platform file")->required();
  check->add_option("--format", check_format, "text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CheckFormat>{
          {"text", CheckFormat::kText}, {"json", CheckFormat::kJson}}));
  check->callback([&] {
    const CheckReport report = check_platform_file(check_file, check_format);
    std::fputs(report.text.c_str(), stdout);
    exit_code = report.exit_code;
  });

  add_schema_commands(app, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitSuccess : kExitUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace partywall::cli

int main(int argc, char** argv) { return partywall::cli::run(argc, argv); }
