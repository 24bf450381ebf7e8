#include <CLI/CLI.hpp>

#include "cli/check.h"
#include "cli/exit_code.h"
#include "cli/version.h"

// The command line: what each subcommand accepts, and which function does it. One file, because
// CLI11 is slow to compile.
namespace partywall::cli {
namespace {

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
