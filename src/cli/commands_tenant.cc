#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"

// `partywall tenant …`
namespace partywall::cli {
namespace {

struct TenantOptions {
  std::string tenant, name, tier, region, cell, isolation, id, status, text, expires, limit;
  std::vector<std::string> limits;
  bool dedicated = false;
  bool yes = false;
};

using SharedTenantOptions = std::shared_ptr<TenantOptions>;

std::string path_of(const std::string& tenant, std::string_view rest = "") {
  return fmt::format("/v1/tenants/{}{}", encode_segment(tenant), rest);
}

void set_text(JsonObject& body, std::string_view name, const std::string& value) {
  if (!value.empty()) body.push_back({std::string(name), JsonValue(value)});
}

CLI::App* add_sub(CLI::App& group, const std::string& name, const std::string& help,
                  const SharedOptions& shared, const SharedTenantOptions& options) {
  auto* sub = group.add_subcommand(name, help);
  sub->add_option("TENANT", options->tenant, "Slug or id")->required();
  add_remote_options(*sub, shared);
  return sub;
}

void add_create(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub = group.add_subcommand("create", "Create a tenant; a cell is chosen for it");
  sub->add_option("SLUG", options->tenant, "Its name in user names and logs")->required();
  sub->add_option("--name", options->name, "Its name for people");
  sub->add_option("--tier", options->tier, "Its limits; default: free");
  sub->add_option("--region", options->region, "Region that its data must stay in");
  sub->add_option("--cell", options->cell, "This cell and no other");
  sub->add_option("--id", options->id, "Its UUID; default: a new one");
  sub->add_flag("--dedicated", options->dedicated, "A cell of its own");
  sub->add_option("--limit", options->limits, "NAME=VALUE that differs from the tier; repeatable");
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      auto limits = parse_limits(options->limits);
      if (!limits) return print_and_exit(limits.error());
      JsonObject body{{"slug", JsonValue(options->tenant)}};
      set_text(body, "name", options->name);
      set_text(body, "tier", options->tier);
      set_text(body, "region", options->region);
      set_text(body, "cell", options->cell);
      set_text(body, "id", options->id);
      if (options->dedicated) set_text(body, "isolation", "dedicated");
      if (!options->limits.empty()) body.push_back({"limits", *std::move(limits)});
      return run_action(*shared, {.path = "/v1/tenants",
                                  .body = JsonValue(std::move(body)),
                                  .done = fmt::format("tenant {} requested", options->tenant)});
    };
  });
}

void add_list(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub = group.add_subcommand("list", "List tenants");
  sub->add_option("--status", options->status, "active, suspended, …");
  sub->add_option("--tier", options->tier, "On this tier");
  sub->add_option("--cell", options->cell, "In this cell");
  sub->add_option("--text", options->text, "Part of slug or name");
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      return list_things(*shared, "tenant",
                         {{"status", options->status},
                          {"tier", options->tier},
                          {"cell", options->cell},
                          {"text", options->text}});
    };
  });
}

void add_show(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub =
      add_sub(group, "show", "Show a tenant with the limits that count now", shared, options);
  sub->callback([&command, shared, options] {
    command = [shared, options] { return show_thing(*shared, "tenant", options->tenant); };
  });
}

struct StateCommand {
  const char* name;
  const char* help;
  const char* endpoint;
  const char* done;
  const char* question;  // empty: nothing is lost by it
};
constexpr StateCommand kStateCommands[] = {
    {"suspend", "Serve it no more, until it is resumed", "suspend", "suspended", ""},
    {"resume", "Serve it fully again", "resume", "resumed", ""},
    {"read-only", "Let it read only", "read-only", "made read-only", ""},
    {"delete", "Offboard: its grace period begins, then its data may be erased", "offboard",
     "is being offboarded", "Offboard tenant {}?"},
    {"restore", "End the offboarding", "restore", "restored, and suspended", ""},
    {"erase", "Erase its data, after the grace period", "erase", "is being erased",
     "Erase all data of tenant {}? This cannot be undone."},
    {"hold", "Set the legal hold: nothing may be erased", "hold", "is under legal hold", ""},
    {"release", "Release the legal hold", "release", "is under legal hold no more",
     "Release the legal hold of tenant {}?"},
};

void add_state_command(CLI::App& group, Command& command, const StateCommand& state) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub = add_sub(group, state.name, state.help, shared, options);
  sub->callback([&command, shared, options, &state] {
    command = [shared, options, &state] {
      const RemoteAction action{
          .path = path_of(options->tenant, fmt::format("/{}", state.endpoint)),
          .done = fmt::format("tenant {} {}", options->tenant, state.done)};
      if (*state.question == '\0') return run_action(*shared, action);
      return run_destructive(*shared, fmt::format(fmt::runtime(state.question), options->tenant),
                             action);
    };
  });
}

void add_tenant_tier(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub =
      add_sub(group, "tier", "Change its tier; the new limits count at once", shared, options);
  sub->add_option("TIER", options->tier, "The new tier")->required();
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      return run_update(*shared, path_of(options->tenant), [options](const JsonValue&) {
        return CliResult<RemoteAction>(RemoteAction{
            .method = "PATCH",
            .path = path_of(options->tenant),
            .body = JsonValue(JsonObject{{"tier", JsonValue(options->tier)}}),
            .done = fmt::format("tenant {} is on tier {}", options->tenant, options->tier)});
      });
    };
  });
}

int set_limit(const RemoteOptions& shared, const TenantOptions& options) {
  const size_t equals = options.limit.find('=');
  const std::string name = options.limit.substr(0, equals);
  const std::string path = path_of(options.tenant, "/limits/" + encode_segment(name));
  if (equals == std::string::npos) {
    return run_action(shared,
                      {.method = "DELETE",
                       .path = path,
                       .done = fmt::format("tenant {}: {} is the tier's", options.tenant, name)});
  }
  auto value = parse_limit_value(std::string_view(options.limit).substr(equals + 1));
  if (!value) return print_and_exit(value.error());
  JsonObject body{{"value", *std::move(value)}};
  set_text(body, "expires_at", options.expires);
  set_text(body, "reason", shared.reason);
  return run_action(shared, {.method = "PUT",
                             .path = path,
                             .body = JsonValue(std::move(body)),
                             .done = fmt::format("tenant {}: {}", options.tenant, options.limit)});
}

void add_limits(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub = add_sub(group, "limits", "Override one limit of its tier, or end an override", shared,
                      options);
  sub->add_option("LIMIT", options->limit, "NAME=VALUE; NAME alone: the tier's counts again")
      ->required();
  sub->add_option("--expires", options->expires, "Until then only: 2026-12-31T00:00:00Z");
  sub->callback([&command, shared, options] {
    command = [shared, options] { return set_limit(*shared, *options); };
  });
}

void add_move(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub = add_sub(group, "move", "Place it in another cell", shared, options);
  sub->add_option("--cell", options->cell, "The cell; default: the policy chooses");
  sub->add_flag("--dedicated", options->dedicated, "A cell of its own");
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      JsonObject body;
      set_text(body, "cell", options->cell);
      if (options->dedicated) set_text(body, "isolation", "dedicated");
      return run_action(*shared, {.path = path_of(options->tenant, "/move"),
                                  .body = JsonValue(std::move(body)),
                                  .done = fmt::format("tenant {} is placed", options->tenant)});
    };
  });
}

void add_login(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TenantOptions>();
  auto* sub =
      add_sub(group, "login", "Make a login at a door, or a new secret for one; printed once",
              shared, options);
  sub->add_option("DOOR", options->text, "sql or cache")->required();
  sub->add_option("--user", options->name, "SLUG.NAME; default: the slug");
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      JsonObject body{{"door", JsonValue(options->text)}};
      set_text(body, "user", options->name);
      return run_action(*shared, {.path = path_of(options->tenant, "/logins"),
                                  .body = JsonValue(std::move(body))});
    };
  });
}

}  // namespace

void add_tenant_commands(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("tenant", "Tenants of a control plane")->require_subcommand(1);
  add_create(*group, command);
  add_list(*group, command);
  add_show(*group, command);
  for (const StateCommand& state : kStateCommands) add_state_command(*group, command, state);
  add_tenant_tier(*group, command);
  add_limits(*group, command);
  add_move(*group, command);
  add_login(*group, command);
}

}  // namespace partywall::cli
