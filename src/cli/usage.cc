#include "cli/usage.h"

#include <cstdio>

#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      {"START", "start"},        {"REQUESTS", "http_requests"}, {"ERRORS", "http_errors"},
      {"SLOW", "http_slow"},     {"SENT", "http_sent_bytes"},   {"STATEMENTS", "sql_statements"},
      {"DB µs", "sql_busy_us"},  {"CACHE", "cache_commands"},   {"HITS", "cache_hits"},
      {"MISSES", "cache_misses"}};
  return kColumns;
}

// Lines of sums, the last one of all of them.
std::string table_of(const JsonValue& usage) {
  JsonArray lines = *usage.find("items")->as_array();
  JsonObject total{{"start", JsonValue(std::string("total"))}};
  for (const JsonMember& member : *usage.find("total")->as_object()) total.push_back(member);
  lines.emplace_back(std::move(total));
  std::string text = print_table(lines, columns());
  for (const JsonValue& gap : *usage.find("gaps")->as_array()) {
    const bool has_node = gap.find("node") != nullptr;
    text += fmt::format("not counted: {}{}from {} to {}\n", has_node ? "node " : "",
                        has_node ? text_at(gap, "node") + " " : "", text_at(gap, "from"),
                        text_at(gap, "to"));
  }
  return text;
}

bool is_usage(const JsonValue& answer) {
  const auto has_array = [&](std::string_view name) {
    const JsonValue* const value = answer.find(name);
    return value != nullptr && value->as_array() != nullptr;
  };
  const JsonValue* const total = answer.find("total");
  return has_array("items") && has_array("gaps") && total != nullptr &&
         total->as_object() != nullptr;
}

}  // namespace

int show_usage(const RemoteOptions& options, const UsageRequest& request) {
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  const auto answer =
      client->get(with_query(fmt::format("/v1/tenants/{}/usage", encode_segment(request.tenant)),
                             {{"from", request.from}, {"to", request.to}, {"by", request.by}}));
  if (!answer) return print_and_exit(answer.error());
  const JsonValue& usage = answer->body;
  if (options.output == OutputFormat::kTable && is_usage(usage)) {
    std::fputs(table_of(usage).c_str(), stdout);
  } else {
    std::fputs(
        (options.output == OutputFormat::kYaml ? print_yaml(usage) : print_json(usage)).c_str(),
        stdout);
  }
  return kExitSuccess;
}

}  // namespace partywall::cli
