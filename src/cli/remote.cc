#include "cli/remote.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

void show(const RemoteOptions& options, const JsonValue& value) {
  const std::string text = options.output == OutputFormat::kJson   ? print_json(value)
                           : options.output == OutputFormat::kYaml ? print_yaml(value)
                                                                   : print_item(value);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

std::string with_query(std::string path, const QueryTexts& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += fmt::format("{}{}={}", separator, name, encode_segment(value));
    separator = '&';
  }
  return path;
}

const std::vector<RemoteKind>& remote_kinds() {
  static const std::vector<RemoteKind> kKinds = {
      {"tenant",
       "tenants",
       "/v1/tenants",
       {{"SLUG", "slug"},
        {"STATUS", "status"},
        {"TIER", "tier"},
        {"CELL", "placement.cell"},
        {"REGION", "region"},
        {"NAME", "name"},
        {"ID", "id"}}},
      {"tier",
       "tiers",
       "/v1/tiers",
       {{"NAME", "name"},
        {"REQUESTS", "limits.max_concurrent_requests"},
        {"DB", "limits.max_db_connections"},
        {"WEIGHT", "limits.weight"}}},
      {"cell",
       "cells",
       "/v1/cells",
       {{"NAME", "name"},
        {"KIND", "kind"},
        {"REGION", "region"},
        {"STATE", "state"},
        {"TENANTS", "tenants"},
        {"MAX", "max_tenants"}}},
      {"route",
       "routes",
       "/v1/routes",
       {{"PREFIX", "path_prefix"}, {"POOL", "pool"}, {"AUTHENTICATED", "authenticated"}}},
      {"operation",
       "operations",
       "/v1/operations",
       {{"ID", "id"},
        {"KIND", "kind"},
        {"SUBJECT", "subject"},
        {"STATUS", "status"},
        {"STEP", "step"},
        {"MESSAGE", "message"}}},
      {"node",
       "nodes",
       "/v1/nodes",
       {{"NAME", "name"}, {"DIRECTORY", "directory_version"}, {"SEEN", "seen_at"}}},
      {"webhook",
       "webhooks",
       "/v1/webhooks",
       {{"NAME", "name"},
        {"URL", "url"},
        {"DELIVERED", "delivered"},
        {"PAUSED", "paused"},
        {"FAILING SINCE", "failing_since"},
        {"MESSAGE", "message"}}},
      {"token",
       "tokens",
       "/v1/tokens",
       {{"ID", "id"},
        {"NAME", "name"},
        {"ROLE", "role"},
        {"EXPIRES", "expires_at"},
        {"REVOKED", "revoked_at"}}},
  };
  return kKinds;
}

CliResult<const RemoteKind*> find_kind(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RemoteKind& kind : remote_kinds()) {
    if (name == kind.name || name == kind.plural) return &kind;
    names.push_back(kind.plural);
  }
  return std::unexpected(
      CliError{.exit_code = kExitUsage,
               .message = fmt::format("there is no kind '{}'{}", name, suggestion(name, names))});
}

int list_things(const RemoteOptions& options, std::string_view kind_name, const QueryTexts& query) {
  const auto kind = find_kind(kind_name);
  if (!kind) return print_and_exit(kind.error());
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  QueryTexts whole = query;
  if ((*kind)->name == "tenant" || (*kind)->name == "operation")
    whole.emplace_back("limit", "1000");
  const auto items = client->list(with_query(std::string((*kind)->path), whole));
  if (!items) return print_and_exit(items.error());
  if (options.output == OutputFormat::kTable) {
    std::fputs(print_table(*items, (*kind)->columns).c_str(), stdout);
  } else {
    show(options, JsonValue(*items));
  }
  return kExitSuccess;
}

int show_thing(const RemoteOptions& options, std::string_view kind_name, const std::string& name) {
  const auto kind = find_kind(kind_name);
  if (!kind) return print_and_exit(kind.error());
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  const auto answer = client->get(fmt::format("{}/{}", (*kind)->path, encode_segment(name)));
  if (!answer) return print_and_exit(answer.error());
  show(options, answer->body);
  return kExitSuccess;
}

int run_action(const RemoteOptions& options, const RemoteAction& action) {
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  const auto answer = client->send(action.method, action.path, action.body, action.if_match);
  if (!answer) return print_and_exit(answer.error());
  if (options.output == OutputFormat::kTable && !action.done.empty()) {
    fmt::print("{}\n", action.done);
  } else if (!answer->body.is_null()) {
    show(options, answer->body);
  }
  return kExitSuccess;
}

int run_destructive(const RemoteOptions& options, std::string_view question,
                    const RemoteAction& action) {
  if (options.consent == Consent::kAsk) {
    if (isatty(STDIN_FILENO) == 0) {
      return print_and_exit(
          {.exit_code = kExitUsage,
           .message = fmt::format("{} Say so with --yes: nothing was done", question)});
    }
    fmt::print(stderr, "{} [y/N] ", question);
    std::string line;
    std::getline(std::cin, line);
    if (line != "y" && line != "yes")
      return print_and_exit({.exit_code = kExitFailure, .message = "nothing was done"});
  }
  return run_action(options, action);
}

int run_update(const RemoteOptions& options, const std::string& read_path,
               const std::function<CliResult<RemoteAction>(const JsonValue& current)>& make) {
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  const auto current = client->get(read_path);
  const bool is_new = !current && current.error().exit_code == kExitNotFound;
  if (!current && !is_new) return print_and_exit(current.error());
  auto action = make(current ? current->body : JsonValue());
  if (!action) return print_and_exit(action.error());
  if (current) action->if_match = current->etag;
  return run_action(options, *action);
}

CliResult<JsonValue> parse_limit_value(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected(CliError{
        .exit_code = kExitUsage,
        .message = fmt::format(
            "{}: a limit is a number, a word, or a rate like 1000/1m+50 (tokens/period+burst)",
            text)});
  };
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; }))
    return JsonValue(std::string(text));
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    const auto number = JsonValue::parse(text);
    if (!number || !number->as_double()) return wrong();
    return *number;
  }
  const size_t plus = text.find('+', slash);
  if (plus == std::string_view::npos) return wrong();
  const auto tokens = parse_integer<uint64_t>(text.substr(0, slash));
  const auto period = parse_duration(text.substr(slash + 1, plus - slash - 1));
  const auto burst = parse_integer<uint64_t>(text.substr(plus + 1));
  if (!tokens || !period || !burst) return wrong();
  return JsonValue(JsonObject{
      {"tokens", JsonValue(*tokens)},
      {"period_ms", JsonValue(int64_t{std::chrono::duration_cast<milliseconds>(*period).count()})},
      {"burst", JsonValue(*burst)}});
}

CliResult<JsonValue> parse_limits(const std::vector<std::string>& limits) {
  JsonObject object;
  for (const std::string& limit : limits) {
    const size_t equals = limit.find('=');
    if (equals == std::string::npos) {
      return std::unexpected(
          CliError{.exit_code = kExitUsage, .message = fmt::format("{}: write NAME=VALUE", limit)});
    }
    auto value = parse_limit_value(std::string_view(limit).substr(equals + 1));
    if (!value) return std::unexpected(value.error());
    object.push_back({limit.substr(0, equals), *std::move(value)});
  }
  return JsonValue(std::move(object));
}

}  // namespace partywall::cli
