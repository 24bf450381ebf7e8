#include "cli/context_store.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <vector>

#include "base/text.h"
#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

int give_up(const std::string& message, int exit_code = kExitFailure) {
  fmt::print(stderr, "partywall: {}\n", message);
  return exit_code;
}

std::string unknown(const Profiles& profiles, const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& [known, profile] : profiles.contexts) names.emplace_back(known);
  return fmt::format("there is no context '{}'{}", name, suggestion(name, names));
}

// From a file or a pipe, never from the command line: others can read that.
Result<Secret> read_token(const std::string& file) {
  std::string token;
  if (file == "-") {
    std::getline(std::cin, token);
  } else {
    std::ifstream stream(file);
    if (!std::getline(stream, token))
      return fail(ErrorKind::kNotFound, "{}: no token can be read from it", file);
  }
  if (token.empty()) return fail(ErrorKind::kInvalid, "the token is empty");
  return Secret(std::move(token));
}

int change(const ProfileChoice& choice,
           const std::function<std::string(Profiles& profiles)>& change_them) {
  const std::string file = profile_file(choice);
  auto profiles = load_profiles(file);
  if (!profiles) return give_up(profiles.error().message);
  if (const std::string problem = change_them(*profiles); !problem.empty())
    return give_up(problem, kExitNotFound);
  if (auto saved = save_profiles(file, *profiles); !saved) return give_up(saved.error().message);
  return kExitSuccess;
}

}  // namespace

int add_context(const ProfileChoice& choice, const NewContext& context) {
  if (!context.url.starts_with("http://") && !context.url.starts_with("https://"))
    return give_up("--url begins with http:// or https://", kExitUsage);
  const auto token = read_token(context.token_file);
  if (!token) return give_up(token.error().message);
  return change(choice, [&](Profiles& profiles) -> std::string {
    std::string url = context.url;
    while (url.ends_with('/')) url.pop_back();
    profiles.contexts[context.name] = {.url = std::move(url), .token = *token};
    if (profiles.current.empty()) profiles.current = context.name;
    return "";
  });
}

int use_context(const ProfileChoice& choice, const std::string& name) {
  return change(choice, [&](Profiles& profiles) -> std::string {
    if (!profiles.contexts.contains(name)) return unknown(profiles, name);
    profiles.current = name;
    return "";
  });
}

int remove_context(const ProfileChoice& choice, const std::string& name) {
  return change(choice, [&](Profiles& profiles) -> std::string {
    if (profiles.contexts.erase(name) == 0) return unknown(profiles, name);
    if (profiles.current == name) profiles.current.clear();
    return "";
  });
}

int list_contexts(const ProfileChoice& choice, OutputFormat output) {
  const auto profiles = load_profiles(profile_file(choice));
  if (!profiles) return give_up(profiles.error().message);
  JsonArray items;
  for (const auto& [name, profile] : profiles->contexts) {
    items.emplace_back(
        JsonObject{{"name", JsonValue(name)},
                   {"url", JsonValue(profile.url)},
                   {"current", JsonValue(std::string(name == profiles->current ? "*" : ""))}});
  }
  if (output == OutputFormat::kTable) {
    fmt::print("{}",
               print_table(items, {{"CURRENT", "current"}, {"NAME", "name"}, {"URL", "url"}}));
  } else {
    const JsonValue all(std::move(items));
    fmt::print("{}", output == OutputFormat::kJson ? print_json(all) : print_yaml(all));
  }
  return kExitSuccess;
}

}  // namespace partywall::cli
