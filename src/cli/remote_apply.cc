#include <cstdio>

#include "base/text.h"
#include "cli/desired_platform.h"
#include "cli/exit_code.h"
#include "cli/remote.h"
#include "store/file_loader.h"
#include "store/platform_file.h"

// `partywall apply -f platform.yaml`
namespace partywall::cli {
namespace {

constexpr size_t kMostLineBytes = 1 << 20;

std::optional<store::PlatformFile> load(const std::string& path) {
  auto files = store::DiskFileLoader::beside(path);
  Diagnostics diagnostics;
  auto platform = store::load_platform_file(store::file_name_of(path), files, diagnostics);
  for (const Diagnostic& found : diagnostics.items())
    fmt::print(stderr, "{}\n", to_string(found, path));
  return platform;
}

std::string_view sign_of(const std::string& action) {
  return action == "create" ? "+" : action == "delete" ? "-" : "~";
}

// "~ tenant acme" and a line for each field that changes.
void print_change(const JsonValue& change) {
  const std::string action = text_at(change, "action");
  fmt::print("{} {} {}\n", sign_of(action), text_at(change, "kind"), text_at(change, "name"));
  const JsonValue* const fields = change.find("fields");
  if (action != "update" || !fields || !fields->as_array()) return;
  for (const JsonValue& field : *fields->as_array()) {
    fmt::print("    {}: {} -> {}\n", text_at(field, "name"), text_at(field, "before"),
               text_at(field, "after"));
  }
}

int print_lines(const std::string& text, const ApplyRequest& request) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto value = JsonValue::parse(line, {.max_bytes = kMostLineBytes});
    if (!value) return print_and_exit({.message = "the API's answer was cut short"});
    if (value->find("error")) return print_and_exit({.message = text_at(*value, "error")});
    if (!value->find("done")) {
      print_change(*value);
      continue;
    }
    const bool is_dry = request.mode == ApplyRequest::Mode::kDryRun;
    fmt::print("{} {}\n", is_dry ? "changes planned:" : "changes made:",
               text_at(*value, is_dry ? "planned" : "done"));
    return kExitSuccess;
  }
  return print_and_exit({.message = "the API's answer was cut short; apply the file again"});
}

}  // namespace

int apply_file(const RemoteOptions& options, const ApplyRequest& request) {
  const bool prunes = request.others == ApplyRequest::Others::kPrune;
  const bool is_dry = request.mode == ApplyRequest::Mode::kDryRun;
  if (prunes && !is_dry && options.consent == Consent::kAsk) {
    return print_and_exit({.exit_code = kExitUsage,
                           .message = "--prune offboards tenants that the file does not have: look "
                                      "with --dry-run first, then say --yes"});
  }
  const auto platform = load(request.platform_file);
  if (!platform) return kExitFailure;
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  const auto answer =
      client->send("POST", fmt::format("/v1/apply?dry_run={}&prune={}", is_dry, prunes),
                   desired_document(platform->directory));
  if (!answer) return print_and_exit(answer.error());
  return print_lines(answer->text, request);
}

}  // namespace partywall::cli
