#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/token.h"

// `partywall token …`: of tenants, made with the keys of a platform file; of the admin API, made by
// a control plane.
namespace partywall::cli {
namespace {

constexpr const char* kDefaultPlatformFile = ".partywall/platform.yaml";

struct TokenOptions {
  std::string role, name, expires, id;
  bool is_jwt = false;
};

int create_admin_token(const RemoteOptions& shared, const TokenOptions& options,
                       const std::string& tenant) {
  JsonObject body{{"name", JsonValue(options.name)}, {"role", JsonValue(options.role)}};
  if (!tenant.empty()) body.push_back({"tenant", JsonValue(tenant)});
  if (!options.expires.empty()) body.push_back({"expires_at", JsonValue(options.expires)});
  return run_action(shared, {.path = "/v1/tokens", .body = JsonValue(std::move(body))});
}

void add_token_create(CLI::App& group, Command& command) {
  auto* sub = group.add_subcommand(
      "create",
      "Print a context token for a job, a token of the development issuer, or an admin token");
  auto request = std::make_shared<TokenRequest>();
  auto shared = std::make_shared<RemoteOptions>();
  auto options = std::make_shared<TokenOptions>();
  request->platform_file = kDefaultPlatformFile;
  sub->add_option("-f,--file", request->platform_file, "Platform file, for its keys")
      ->capture_default_str();
  sub->add_option("--tenant", request->tenant, "Slug or id of the tenant");
  sub->add_option("--audience", request->audience, "Of a context: sql, cache or any")
      ->capture_default_str();
  sub->add_option("--ttl", request->time_to_live, "How long it is valid: 60s, 10m, 12h")
      ->capture_default_str();
  auto* jwt =
      sub->add_flag("--jwt", options->is_jwt,
                    "A JSON Web Token for the http door, of the issuer that `partywall up` makes");
  sub->add_option("--issuer-key", request->issuer_key,
                  "The issuer's private key (PEM); default: secrets/issuer.pem beside the file");
  auto* role =
      sub->add_option("--role", options->role,
                      "An admin token: viewer, operator, owner, or tenant-admin of --tenant");
  role->excludes(jwt);
  sub->add_option("--name", options->name, "Whose admin token it is")->needs(role);
  sub->add_option("--expires", options->expires, "Of an admin token: 2026-12-31T00:00:00Z")
      ->needs(role);
  add_remote_options(*sub, shared);
  sub->callback([&command, request, shared, options] {
    command = [request, shared, options] {
      if (!options->role.empty()) return create_admin_token(*shared, *options, request->tenant);
      if (request->tenant.empty())
        return print_and_exit({.exit_code = kExitUsage, .message = "--tenant is required"});
      request->kind = options->is_jwt ? TokenKind::kJwt : TokenKind::kContext;
      return create_token(*request);
    };
  });
}

}  // namespace

void add_token_commands(CLI::App& app, Command& command) {
  auto* group = app.add_subcommand("token", "Tokens")->require_subcommand(1);
  add_token_create(*group, command);
  auto shared = std::make_shared<RemoteOptions>();
  auto* list = group->add_subcommand("list", "Admin tokens, without their secrets");
  add_remote_options(*list, shared);
  list->callback(
      [&command, shared] { command = [shared] { return list_things(*shared, "token"); }; });
  auto options = std::make_shared<TokenOptions>();
  auto* revoke = group->add_subcommand("revoke", "Make an admin token nobody's");
  revoke->add_option("ID", options->id, "From `token list`")->required();
  add_remote_options(*revoke, shared);
  revoke->callback([&command, shared, options] {
    command = [shared, options] {
      return run_destructive(*shared, fmt::format("Revoke token {}?", options->id),
                             {.method = "DELETE",
                              .path = "/v1/tokens/" + encode_segment(options->id),
                              .done = fmt::format("token {} revoked", options->id)});
    };
  });
}

}  // namespace partywall::cli
