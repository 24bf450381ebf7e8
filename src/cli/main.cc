#include <CLI/CLI.hpp>

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
