#pragma once

#include <functional>
#include <memory>

#include "cli/output.h"
#include "cli/remote.h"

namespace CLI {
class App;
}

// What each command accepts, a file for each group (commands_*.cc): with main.cc the only files
// that see CLI11, which is slow to compile: several of them are one file for the compiler.
namespace partywall::cli {

// What was chosen; run after everything has been parsed.
using Command = std::function<int()>;

// -o: how answers are shown. `output` must outlive the parsing.
void add_output_option(CLI::App& sub, OutputFormat& output);

// Shared by all commands that ask the control plane.
using SharedOptions = std::shared_ptr<RemoteOptions>;
void add_remote_options(CLI::App& sub, const SharedOptions& options);

void add_tenant_commands(CLI::App& app, Command& command);
void add_resource_commands(CLI::App& app, Command& command);  // tier, cell, route, get, apply
void add_context_commands(CLI::App& app, Command& command);
void add_watch_commands(CLI::App& app, Command& command);  // events, operation
void add_usage_command(CLI::App& app, Command& command);
void add_webhook_commands(CLI::App& app, Command& command);
void add_token_commands(CLI::App& app, Command& command);
void add_schema_commands(CLI::App& app, Command& command);
void add_migrate_commands(CLI::App& app, Command& command);
void add_store_commands(CLI::App& app, Command& command);
void add_completion_commands(CLI::App& app, Command& command);
void add_fleet_commands(CLI::App& app, Command& command);

// "there is no command 'tenat'; did you mean 'tenant'?", empty if the words are commands.
std::string unknown_command(const CLI::App& app, int argc, char** argv);

}  // namespace partywall::cli
