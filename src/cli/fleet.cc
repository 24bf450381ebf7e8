#include "cli/fleet.h"

#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "cli/api_client.h"
#include "cli/exit_code.h"
#include "cli/node_admin.h"
#include "cli/platform_loader.h"
#include "fetch/client.h"
#include "fleet/loop/operator_token.h"

namespace partywall::cli {
namespace {

const std::vector<Column> kInstanceColumns = {
    {"INSTANCE", "id"},    {"ENDPOINT", "endpoint"}, {"STATE", "state"},
    {"HEALTH", "health"},  {"DRAINING", "draining"}, {"IN FLIGHT", "in_flight"},
    {"PID", "process_id"}, {"RESTARTS", "restarts"}, {"LAST EXIT", "last_exit"}};

// The node's admin port, and the pool that is meant.
class FleetNode {
 public:
  static CliResult<FleetNode> open(const FleetOptions& options);

  CliResult<JsonValue> get(const std::string& path) { return call("GET", path, {}); }
  CliResult<JsonValue> post(const std::string& path, const std::optional<JsonValue>& body) {
    return call("POST", path, body);
  }
  CliResult<JsonArray> pools();
  // The one that is meant.
  CliResult<JsonValue> pool(const std::string& name);

 private:
  CliResult<JsonValue> call(const std::string& method, const std::string& path,
                            const std::optional<JsonValue>& body);

  std::string url_;
  std::string directory_;
  std::unique_ptr<fetch::Client> client_ = std::make_unique<fetch::Client>();
};

std::unexpected<CliError> failed(int exit_code, std::string message) {
  return std::unexpected(CliError{.exit_code = exit_code, .message = std::move(message)});
}

CliResult<FleetNode> FleetNode::open(const FleetOptions& options) {
  PlatformLoader platform(options.platform_file);
  const auto loaded = platform.load();
  if (!loaded) return failed(kExitFailure, options.platform_file + " has errors");
  const auto fleet = platform.read_fleet(*loaded);
  if (!fleet || !loaded->fleet) {
    return failed(kExitFailure, options.platform_file + " has no section `fleet`");
  }
  auto url = node_admin_url(options.admin, loaded->node);
  if (!url) return failed(kExitFailure, url.error().message);
  FleetNode node;
  node.url_ = *std::move(url);
  node.directory_ = fleet->directory;
  return node;
}

CliResult<JsonValue> FleetNode::call(const std::string& method, const std::string& path,
                                     const std::optional<JsonValue>& body) {
  fetch::Request request{.method = method, .url = url_ + path};
  if (method != "GET") {
    const auto token = fleet::read_operator_token(directory_);
    if (!token) {
      return failed(kExitDenied, fmt::format("the operator's token is in {}/operator.token: {}",
                                             directory_, token.error().message));
    }
    request.headers.emplace_back("Authorization", fmt::format("Bearer {}", token->reveal()));
    request.headers.emplace_back("Content-Type", "application/json");
    if (body) request.body = print_json(*body);
  }
  const auto response = client_->send(request);
  if (!response) {
    return failed(kExitUnavailable, fmt::format("{}: {}", url_, response.error().message));
  }
  if (response->status == 204) return JsonValue();
  auto answer = JsonValue::parse(response->body, {.max_bytes = size_t{8} << 20});
  if (response->status == 200 && answer) return *std::move(answer);
  const std::string detail = answer ? text_at(*answer, "detail") : "it is no JSON";
  const int exit_code = response->status == 404   ? kExitNotFound
                        : response->status == 401 ? kExitDenied
                                                  : kExitFailure;
  return failed(exit_code, fmt::format("{} answered {}: {}", url_, response->status, detail));
}

CliResult<JsonArray> FleetNode::pools() {
  auto answer = get("/fleet");
  if (!answer) return std::unexpected(answer.error());
  const JsonValue* pools = answer->find("pools");
  return pools && pools->as_array() ? *pools->as_array() : JsonArray();
}

CliResult<JsonValue> FleetNode::pool(const std::string& name) {
  const auto all = pools();
  if (!all) return std::unexpected(all.error());
  std::vector<const JsonValue*> meant;
  std::string names;
  for (const JsonValue& pool : *all) {
    const std::string full = text_at(pool, "cell") + "/" + text_at(pool, "pool");
    names += (names.empty() ? "" : ", ") + full;
    if (name.empty() || name == full || name == text_at(pool, "pool")) meant.push_back(&pool);
  }
  if (meant.size() == 1) return *meant.front();
  return failed(kExitNotFound, meant.empty() ? fmt::format("no such pool; the node keeps {}",
                                                           names.empty() ? "none" : names)
                                             : fmt::format("say which pool: {}", names));
}

std::string path_of(const JsonValue& pool) {
  return fmt::format("/fleet/{}/{}", encode_segment(text_at(pool, "cell")),
                     encode_segment(text_at(pool, "pool")));
}

void print(const JsonValue& value, OutputFormat output) {
  fmt::print("{}", output == OutputFormat::kJson ? print_json(value) : print_yaml(value));
}

int operate(const FleetOptions& options, std::string_view verb,
            const std::optional<JsonValue>& body, std::string_view done) {
  auto node = FleetNode::open(options);
  if (!node) return print_and_exit(node.error());
  const auto pool = node->pool(options.pool);
  if (!pool) return print_and_exit(pool.error());
  const auto answer = node->post(fmt::format("{}/{}", path_of(*pool), verb), body);
  if (!answer) return print_and_exit(answer.error());
  fmt::print("{}/{} {}\n", text_at(*pool, "cell"), text_at(*pool, "pool"), done);
  return kExitSuccess;
}

}  // namespace

std::string describe_pools(const JsonArray& pools) {
  std::string out;
  for (const JsonValue& pool : pools) {
    const bool paused = pool.find("paused") && pool.find("paused")->as_bool().value_or(false);
    const bool braked = pool.find("braked") && pool.find("braked")->as_bool().value_or(false);
    out += fmt::format("{}{}/{}: {} of {} ready ({} to {}){}{}\n", out.empty() ? "" : "\n",
                       text_at(pool, "cell"), text_at(pool, "pool"), text_at(pool, "ready"),
                       text_at(pool, "desired"), text_at(pool, "min"), text_at(pool, "max"),
                       paused ? ", paused" : "",
                       braked ? ", BRAKED: many are unhealthy at once, look at them" : "");
    if (const std::string trouble = text_at(pool, "trouble"); !trouble.empty() && trouble != "-") {
      out += fmt::format("  {}\n", trouble);
    }
    const JsonValue* instances = pool.find("instances");
    if (!instances || !instances->as_array()) continue;
    out += print_table(*instances->as_array(), kInstanceColumns);
  }
  return out;
}

int fleet_status(const FleetOptions& options) {
  auto node = FleetNode::open(options);
  if (!node) return print_and_exit(node.error());
  CliResult<JsonArray> pools = node->pools();
  if (pools && !options.pool.empty()) {
    auto one = node->pool(options.pool);
    if (!one) return print_and_exit(one.error());
    pools = JsonArray{*std::move(one)};
  }
  if (!pools) return print_and_exit(pools.error());
  if (options.output != OutputFormat::kTable) {
    print(JsonValue(*std::move(pools)), options.output);
  } else {
    fmt::print("{}", pools->empty() ? "the node keeps no pools\n" : describe_pools(*pools));
  }
  return kExitSuccess;
}

int fleet_explain(const FleetOptions& options) {
  auto node = FleetNode::open(options);
  if (!node) return print_and_exit(node.error());
  const auto pool = node->pool(options.pool);
  if (!pool) return print_and_exit(pool.error());
  const std::string explanation = lines_at(*pool, "explanation");
  fmt::print("{}\n", explanation.empty() || explanation == "-"
                         ? "nothing has been decided yet since the node started"
                         : explanation);
  return kExitSuccess;
}

int fleet_history(const FleetOptions& options) {
  auto node = FleetNode::open(options);
  if (!node) return print_and_exit(node.error());
  const auto pool = node->pool(options.pool);
  if (!pool) return print_and_exit(pool.error());
  const auto answer = node->get(path_of(*pool) + "/events");
  if (!answer) return print_and_exit(answer.error());
  const JsonValue* events = answer->find("events");
  if (options.output != OutputFormat::kTable) {
    print(events ? *events : JsonValue(JsonArray()), options.output);
    return kExitSuccess;
  }
  if (!events || !events->as_array()) return kExitSuccess;
  for (const JsonValue& event : *events->as_array()) {
    fmt::print("{}  {:<13} {}\n", text_at(event, "time"), text_at(event, "kind"),
               lines_at(event, "text"));
  }
  return kExitSuccess;
}

int fleet_scale(const FleetOptions& options, uint32_t count) {
  const JsonValue body(JsonObject{{"count", JsonValue(uint64_t{count})}});
  return operate(options, "scale", body, fmt::format("is to have {} instances", count));
}

int fleet_pause(const FleetOptions& options) {
  return operate(options, "pause", {}, "keeps its number of instances until `resume`");
}

int fleet_resume(const FleetOptions& options) {
  return operate(options, "resume", {}, "is scaled again");
}

}  // namespace partywall::cli
