#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/api_client.h"
#include "cli/output.h"

// The commands that ask the control plane: what each does, without how it is written on the command
// line (that is commands_*.cc).
namespace partywall::cli {

enum class Consent { kAsk, kGiven };

// What every such command takes.
struct RemoteOptions {
  ProfileChoice profile;
  OutputFormat output = OutputFormat::kTable;
  std::string reason;  // for the audit trail
  Consent consent = Consent::kAsk;
};

// A kind of thing as `get` knows it.
struct RemoteKind {
  std::string_view name;    // "tenant"
  std::string_view plural;  // "tenants"
  std::string_view path;    // "/v1/tenants"
  std::vector<Column> columns;
};
const std::vector<RemoteKind>& remote_kinds();
// By singular or plural; a failure suggests one.
CliResult<const RemoteKind*> find_kind(std::string_view name);

using QueryTexts = std::vector<std::pair<std::string, std::string>>;  // empty values are left out
std::string with_query(std::string path, const QueryTexts& query);

int list_things(const RemoteOptions& options, std::string_view kind, const QueryTexts& query = {});
int show_thing(const RemoteOptions& options, std::string_view kind, const std::string& name);

// Sends one request and shows what comes back; `done` is what is said to people instead.
struct RemoteAction {
  std::string method = "POST";
  std::string path;
  std::optional<JsonValue> body{};
  std::string if_match{};
  std::string done{};
};
int run_action(const RemoteOptions& options, const RemoteAction& action);
// The same for what cannot be undone: asks on a terminal, insists on --yes elsewhere.
int run_destructive(const RemoteOptions& options, std::string_view question,
                    const RemoteAction& action);
// Reads the thing first, and changes the version that was read.
int run_update(const RemoteOptions& options, const std::string& read_path,
               const std::function<CliResult<RemoteAction>(const JsonValue& current)>& make);

// `limits`: NAME=VALUE as people write them. A rate is TOKENS/PERIOD+BURST, "1000/1m+50".
CliResult<JsonValue> parse_limits(const std::vector<std::string>& limits);
CliResult<JsonValue> parse_limit_value(std::string_view text);

int follow_events(const RemoteOptions& options, const QueryTexts& query);
int watch_operation(const RemoteOptions& options, const std::string& id);

struct ApplyRequest {
  std::string platform_file;
  enum class Mode { kApply, kDryRun } mode = Mode::kApply;
  enum class Others { kKeep, kPrune } others = Others::kKeep;
};
int apply_file(const RemoteOptions& options, const ApplyRequest& request);

}  // namespace partywall::cli
