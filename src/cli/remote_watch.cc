#include <cstdio>
#include <thread>

#include "cli/exit_code.h"
#include "cli/remote.h"

// Commands that go on until something has happened.
namespace partywall::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(500);

void print_event(const RemoteOptions& options, const JsonValue& event) {
  if (options.output != OutputFormat::kTable) {
    fmt::print("{}", options.output == OutputFormat::kJson ? print_json(event) : print_yaml(event));
    return;
  }
  fmt::print("{}  {:<24}  {:<20}  {}\n", text_at(event, "at"), text_at(event, "type"),
             text_at(event, "subject"), text_at(event, "actor"));
}

std::string progress_line(const JsonValue& operation) {
  return fmt::format("{}  {}  {}  {}/{}  {}", text_at(operation, "kind"),
                     text_at(operation, "subject"), text_at(operation, "status"),
                     text_at(operation, "progress.done"), text_at(operation, "progress.total"),
                     text_at(operation, "message"));
}

}  // namespace

// Asks again and again: a connection that breaks in between loses nothing.
int follow_events(const RemoteOptions& options, const QueryTexts& query) {
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  std::string after, filters;
  bool follow = false;
  for (const auto& [name, value] : query) {
    if (name == "follow") {
      follow = true;
    } else if (name == "after") {
      after = value;
    } else if (!value.empty()) {
      filters += fmt::format("&{}={}", name, encode_segment(value));
    }
  }
  while (true) {
    const auto page = client->get(
        fmt::format("/v1/events?limit=1000&after={}{}", after.empty() ? "0" : after, filters));
    if (!page && !(follow && page.error().exit_code == kExitUnavailable))
      return print_and_exit(page.error());
    const JsonValue* const items = page ? page->body.find("items") : nullptr;
    const bool is_empty = !items || !items->as_array() || items->as_array()->empty();
    if (!is_empty) {
      for (const JsonValue& event : *items->as_array()) print_event(options, event);
      after = text_at(page->body, "next");
    }
    std::fflush(stdout);
    if (is_empty && !follow) return kExitSuccess;
    if (is_empty) std::this_thread::sleep_for(kPause);
  }
}

int watch_operation(const RemoteOptions& options, const std::string& id) {
  auto client = ApiClient::open(options.profile, options.reason);
  if (!client) return print_and_exit(client.error());
  std::string said;
  while (true) {
    const auto answer = client->get("/v1/operations/" + encode_segment(id));
    if (!answer) return print_and_exit(answer.error());
    if (std::string line = progress_line(answer->body); line != said) {
      fmt::print("{}\n", line);
      std::fflush(stdout);
      said = std::move(line);
    }
    const std::string status = text_at(answer->body, "status");
    if (status == "done") return kExitSuccess;
    if (status != "running") return kExitFailure;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace partywall::cli
