#include <CLI/CLI.hpp>

#include "cli/commands.h"

// `partywall webhook …`
namespace partywall::cli {
namespace {

struct WebhookOptions {
  std::string name, url, tenant;
  std::vector<std::string> types;
  int64_t after = -1;
};

std::string webhook_path(const std::string& name, std::string_view rest = "") {
  return fmt::format("/v1/webhooks/{}{}", encode_segment(name), rest);
}

void add_create(CLI::App& group, Command& command) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<WebhookOptions>();
  auto* sub = group.add_subcommand("create", "Send events to a URL; prints the secret, once");
  sub->add_option("NAME", options->name, "What it is called")->required();
  sub->add_option("URL", options->url, "https://…")->required();
  sub->add_option("--type", options->types,
                  "tenant.suspended, or tenant for all of its kind; repeatable; default: all");
  sub->add_option("--tenant", options->tenant, "Only what concerns this tenant");
  sub->add_option("--after", options->after, "Begin after the event with this number; default: now")
      ->check(CLI::NonNegativeNumber);
  add_remote_options(*sub, shared);
  sub->callback([&command, shared, options] {
    command = [shared, options] {
      JsonObject body{{"name", JsonValue(options->name)}, {"url", JsonValue(options->url)}};
      JsonArray types;
      for (const std::string& type : options->types) types.emplace_back(type);
      if (!types.empty()) body.push_back({"types", JsonValue(std::move(types))});
      if (!options->tenant.empty()) body.push_back({"tenant", JsonValue(options->tenant)});
      if (options->after >= 0) body.push_back({"after", JsonValue(options->after)});
      return run_action(*shared, {.path = "/v1/webhooks", .body = JsonValue(std::move(body))});
    };
  });
}

CLI::App* add_named(CLI::App& group, const std::string& name, const std::string& help,
                    const SharedOptions& shared, const std::shared_ptr<WebhookOptions>& options) {
  auto* sub = group.add_subcommand(name, help);
  sub->add_option("NAME", options->name, "From `webhook list`")->required();
  add_remote_options(*sub, shared);
  return sub;
}

void add_action(CLI::App& group, Command& command, const std::string& name, const std::string& help,
                const std::string& endpoint, const std::string& done) {
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<WebhookOptions>();
  add_named(group, name, help, shared, options)
      ->callback([&command, shared, options, endpoint, done] {
        command = [shared, options, endpoint, done] {
          return run_action(
              *shared,
              {.path = webhook_path(options->name, endpoint),
               .done = done.empty() ? "" : fmt::format("webhook {} is {}", options->name, done)});
        };
      });
}

}  // namespace

void add_webhook_commands(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("webhook", "Where events are sent")->require_subcommand(1);
  add_create(*group, command);
  auto shared = std::make_shared<RemoteOptions>();
  auto* list = group->add_subcommand("list", "All of them, and how far they are");
  add_remote_options(*list, shared);
  list->callback(
      [&command, shared] { command = [shared] { return list_things(*shared, "webhook"); }; });
  auto options = std::make_shared<WebhookOptions>();
  add_named(*group, "show", "One of them, and why it fails", shared, options)
      ->callback([&command, shared, options] {
        command = [shared, options] { return show_thing(*shared, "webhook", options->name); };
      });
  add_action(*group, command, "pause", "Send it nothing until it is resumed", "/pause", "paused");
  add_action(*group, command, "resume", "Go on with the event at which it stood", "/resume",
             "active");
  add_action(*group, command, "rotate", "A new secret; the former one signs, too, for 24 hours",
             "/secret", "");
  add_named(*group, "delete", "Send it nothing more", shared, options)
      ->callback([&command, shared, options] {
        command = [shared, options] {
          return run_destructive(*shared, fmt::format("Remove webhook {}?", options->name),
                                 {.method = "DELETE",
                                  .path = webhook_path(options->name),
                                  .done = fmt::format("webhook {} removed", options->name)});
        };
      });
}

}  // namespace partywall::cli
