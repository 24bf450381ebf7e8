#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/store.h"

namespace partywall::cli {

void add_store_commands(CLI::App& app, Command& command) {
  auto* store = app.add_subcommand("store", "The control store: its schema and contents")
                    ->require_subcommand(1);
  const auto file = std::make_shared<std::string>();
  const auto add = [&](const std::string& name, const std::string& help) {
    auto* sub = store->add_subcommand(name, help);
    sub->add_option("-f,--file", *file, "Platform file with the section control_store")->required();
    return sub;
  };
  const auto roles = std::make_shared<std::vector<std::string>>();
  auto* init = add("init", "Make the schema or bring it up to date; safe to repeat");
  init->add_option("--node-role", *roles, "Role that may read as a node; repeatable");
  init->callback(
      [&command, file, roles] { command = [file, roles] { return store_init(*file, *roles); }; });
  add("migrate", "Bring the schema up to date")->callback([&command, file] {
    command = [file] { return store_migrate(*file); };
  });
  add("status", "Say what is there and what each node serves")->callback([&command, file] {
    command = [file] { return store_status(*file); };
  });
  const auto source = std::make_shared<std::string>();
  auto* import = add("import", "Put a platform file's directory into an empty store");
  import->add_option("PLATFORM", *source, "The platform file to import")->required();
  import->callback([&command, file, source] {
    command = [file, source] { return store_import(*file, *source); };
  });
  const auto above = std::make_shared<uint64_t>(0);
  auto* restored =
      add("restored", "After the database was put back to an earlier state on purpose");
  restored->add_option("--above", *above, "The highest version that a node has served")->required();
  restored->callback([&command, file, above] {
    command = [file, above] { return store_restored(*file, *above); };
  });
}

}  // namespace partywall::cli
