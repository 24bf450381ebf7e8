#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"

// `partywall tier|cell|route|get|apply …`
namespace partywall::cli {
namespace {

struct ResourceOptions {
  std::string name, kind, pool, file;
  std::vector<std::string> limits;
  bool open_to_all = false;
  bool dry_run = false;
  bool prune = false;
};
using SharedResourceOptions = std::shared_ptr<ResourceOptions>;

CLI::App* add_named(CLI::App& group, const std::string& name, const std::string& help,
                    const std::string& what, const SharedOptions& shared,
                    const SharedResourceOptions& options) {
  auto* sub = group.add_subcommand(name, help);
  sub->add_option(what, options->name, "Its name")->required();
  add_remote_options(*sub, shared);
  return sub;
}

void add_list_and_show(CLI::App& group, const std::string& kind, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto* list = group.add_subcommand("list", "List all");
  add_remote_options(*list, shared);
  list->callback([&command, shared, kind] {
    command = [shared, kind] { return list_things(*shared, kind); };
  });
  auto options = std::make_shared<ResourceOptions>();
  auto* show = add_named(group, "show", "Show one", "NAME", shared, options);
  show->callback([&command, shared, options, kind] {
    command = [shared, options, kind] { return show_thing(*shared, kind, options->name); };
  });
}

void add_delete(CLI::App& group, const std::string& kind, const std::string& path,
                Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub = add_named(group, "delete", "Remove one that nothing uses", "NAME", shared, options);
  sub->callback([&command, shared, options, kind, path] {
    command = [shared, options, kind, path] {
      return run_destructive(*shared, fmt::format("Remove {} {}?", kind, options->name),
                             {.method = "DELETE",
                              .path = path + encode_segment(options->name),
                              .if_match = "*",
                              .done = fmt::format("{} {} removed", kind, options->name)});
    };
  });
}

// Changes the limits that are named, keeps the others.
JsonValue merge_limits(const JsonValue& current, const JsonValue& changed) {
  JsonObject merged;
  if (const JsonValue* const before = current.find("limits"); before && before->as_object())
    merged = *before->as_object();
  for (const JsonMember& member : *changed.as_object()) {
    std::erase_if(merged, [&](const JsonMember& one) { return one.name == member.name; });
    merged.push_back(member);
  }
  return JsonValue(std::move(merged));
}

void add_tier(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("tier", "Tiers: named sets of limits")->require_subcommand(1);
  add_list_and_show(*group, "tier", command);
  add_delete(*group, "tier", "/v1/tiers/", command);
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub =
      add_named(*group, "set", "Make a tier, or change limits of one", "TIER", shared, options);
  sub->add_option("LIMITS", options->limits, "NAME=VALUE …");
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      const std::string path = "/v1/tiers/" + encode_segment(options->name);
      return run_update(
          *shared, path, [options, path](const JsonValue& current) -> CliResult<RemoteAction> {
            auto changed = parse_limits(options->limits);
            if (!changed) return std::unexpected(changed.error());
            return RemoteAction{
                .method = "PUT",
                .path = path,
                .body = JsonValue(JsonObject{{"limits", merge_limits(current, *changed)}}),
                .done = fmt::format("tier {} set", options->name)};
          });
    };
  });
}

void add_cell_state(CLI::App& group, const std::string& name, const std::string& help,
                    const std::string& done, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub = add_named(group, name, help, "CELL", shared, options);
  sub->callback([&command, shared, options, name, done] {
    command = [shared, options, name, done] {
      return run_action(
          *shared, {.path = fmt::format("/v1/cells/{}/{}", encode_segment(options->name), name),
                    .done = fmt::format("cell {} {}", options->name, done)});
    };
  });
}

void add_cell(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("cell", "Cells; they are added with `partywall apply`")
                    ->require_subcommand(1);
  add_list_and_show(*group, "cell", command);
  add_delete(*group, "cell", "/v1/cells/", command);
  add_cell_state(*group, "drain", "Keep its tenants, take no more", "is draining", command);
  add_cell_state(*group, "activate", "Let it take tenants again", "takes tenants", command);
}

void add_route(CLI::App& app, Command& command) {
  auto* group =
      app.add_subcommand("route", "Routes: which pool serves which paths")->require_subcommand(1);
  add_list_and_show(*group, "route", command);
  add_delete(*group, "route", "/v1/routes/", command);
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub = add_named(*group, "set", "Make a route, or change one", "PREFIX", shared, options);
  sub->add_option("--pool", options->pool, "Pool of each cell")->required();
  sub->add_flag("--public", options->open_to_all, "Needs no tenant");
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      const std::string path = "/v1/routes/" + encode_segment(options->name);
      return run_update(*shared, path, [options, path](const JsonValue&) {
        return CliResult<RemoteAction>(RemoteAction{
            .method = "PUT",
            .path = path,
            .body = JsonValue(JsonObject{{"pool", JsonValue(options->pool)},
                                         {"authenticated", JsonValue(!options->open_to_all)}}),
            .done = fmt::format("route {} set", options->name)});
      });
    };
  });
}

void add_get(CLI::App& app, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub = app.add_subcommand("get", "Show things of a kind, or one of them");
  sub->add_option("KIND", options->kind, "tenants, tiers, cells, routes, operations, nodes, tokens")
      ->required();
  sub->add_option("NAME", options->name, "One of them");
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      return options->name.empty() ? list_things(*shared, options->kind)
                                   : show_thing(*shared, options->kind, options->name);
    };
  });
}

void add_apply(CLI::App& app, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<ResourceOptions>();
  auto* sub = app.add_subcommand(
      "apply", "Make tiers, cells, routes and tenants as a platform file has them");
  sub->add_option("-f,--file", options->file, "Platform file")->required();
  sub->add_flag("--dry-run", options->dry_run, "Show what would change");
  sub->add_flag("--prune", options->prune, "Remove what the file does not have");
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      using Request = ApplyRequest;
      return apply_file(
          *shared, {.platform_file = options->file,
                    .mode = options->dry_run ? Request::Mode::kDryRun : Request::Mode::kApply,
                    .others = options->prune ? Request::Others::kPrune : Request::Others::kKeep});
    };
  });
}

}  // namespace

void add_resource_commands(CLI::App& app, Command& command) {
  add_tier(app, command);
  add_cell(app, command);
  add_route(app, command);
  add_get(app, command);
  add_apply(app, command);
}

}  // namespace partywall::cli
